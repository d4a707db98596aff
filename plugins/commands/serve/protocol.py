"""HTTP connections that cannot be held open: uvicorn has no time limit for headers.

Each connection is always in one of three phases, and each phase has a deadline that arriving bytes do not
renew: `headers` (no complete request yet, or since the last response), `request` (received and answered) and
`unread` (answered before its body ended).
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from fas_plugins.commands.serve.limits import Limits, RequestError
from fas_plugins.commands.serve.metrics import Metrics

MAX_HEADER_BYTES = 16_384
"""Bytes of headers that are parsed at once; h11 refuses longer ones that are not complete."""

GRACE = 3.0
"""Seconds beyond the application's own timeout until a response must be sent and read, and seconds in which
a client may send the rest of a body that was refused."""


class BoundedProtocol(H11Protocol):
    """One connection; `limited_protocol` sets its limits."""

    limits: Limits
    metrics: Metrics

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._phase: tuple[str, Any] | None = None
        self._phase_start = 0.0
        if len(self.connections) > self.limits.max_connections and not self._close_oldest_idle():
            self.metrics.connections_ended["refused"] += 1
            message = f"{self.limits.max_connections} connections are open: try again"
            self._refuse(RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_connections", message))
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        while self.conn.their_state is h11.IDLE and len(data) > MAX_HEADER_BYTES:
            head, data = data[:MAX_HEADER_BYTES], data[MAX_HEADER_BYTES:]
            super().data_received(head)
            if self.transport.is_closing():
                return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # the answer is on its way already
            self.transport.close()
            return
        super().send_400_response(msg)
        if self.cycle is not None:  # the application has begun on the headers: its answer is not sent
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self._phase is not None and self._phase[0] == "headers" and not self.transport.is_closing()

    def _watch(self) -> None:
        """Start the deadline of the connection's phase, unless it is running."""
        in_flight = self.cycle is not None and not self.cycle.response_complete
        unread = not in_flight and self.conn.their_state is h11.SEND_BODY
        name = "request" if in_flight else "unread" if unread else "headers"
        phase = (name, self.cycle)
        if self.transport.is_closing() or phase == self._phase:
            return
        if self._timer is not None:
            self._timer.cancel()
        seconds = {
            "headers": self.limits.header_timeout,
            "request": self.limits.timeout + GRACE,
            "unread": GRACE,
        }[name]
        self._phase, self._phase_start = phase, self.loop.time()
        self._timer = self.loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        assert self._phase is not None
        self.metrics.connections_ended[f"{self._phase[0]}_timeout"] += 1
        if self.is_idle:
            message = f"the headers did not arrive within {self.limits.header_timeout:g} s"
            self._refuse(RequestError(HTTPStatus.REQUEST_TIMEOUT, "timeout", message))
        else:
            self.transport.abort()

    def _close_oldest_idle(self) -> bool:
        """Make room for a new connection; return whether there was an idle one."""
        idle = [item for item in self.connections if isinstance(item, BoundedProtocol) and item.is_idle]
        if not idle:
            return False
        oldest = min(idle, key=lambda item: item._phase_start)
        self.metrics.connections_ended["replaced"] += 1
        oldest.transport.abort()  # it may hold unsent bytes that nobody reads
        self.connections.discard(oldest)
        return True

    def _refuse(self, error: RequestError) -> None:
        """Answer outside the application, and close."""
        body = json.dumps(error.to_json()).encode()
        head = (
            f"HTTP/1.1 {error.status.value} {error.status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def limited_protocol(limits: Limits, metrics: Metrics) -> type[BoundedProtocol]:
    """Return the protocol class of a server with these limits; uvicorn makes one object a connection."""
    return type("LimitedProtocol", (BoundedProtocol,), {"limits": limits, "metrics": metrics})
