"""Run the application on a port."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from fas_core.errors import FasError
from fas_plugins.commands.serve.access import AccessRules
from fas_plugins.commands.serve.app import create_app
from fas_plugins.commands.serve.limits import Limits, RequestError
from fas_plugins.commands.serve.metrics import Metrics
from fas_plugins.commands.serve.protocol import limited_protocol
from fas_plugins.commands.serve.scoring import ModelFacts, build_scorer
from fas_plugins.commands.serve.workers import WorkerPool

BACKLOG = 128
KEEP_ALIVE = 5
"""Seconds until an idle connection is closed."""


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one.

    Raises:
        FasError: the port is in use, or the host is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With an explicit protocol asyncio sets TCP_NODELAY; without it every response waits about 40 ms.
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise FasError(f"{host}: no address of this machine: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise FasError(f"{host}, port {port}: cannot be opened: {error.strerror}; try --port 0") from error
    return listener


def service_url(listener: socket.socket) -> str:
    """Return the address for a browser on this machine."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_local(listener: socket.socket) -> bool:
    """Return whether only programs on this machine can connect."""
    return ip_address(listener.getsockname()[0]).is_loopback


class Server(uvicorn.Server):
    """A uvicorn server that calls `announce` once it accepts requests.

    From then on an interruption or SIGTERM drains it: for `drain_delay` seconds it still answers, but says
    that it is not ready; then it closes its port and the connections that are idle, and answers the requests
    that are in flight. Before, an interruption raises KeyboardInterrupt. A second one ends it at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        draining: threading.Event,
        drain_delay: float,
    ) -> None:
        super().__init__(config)
        self.announce, self.draining, self.drain_delay = announce, draining, drain_delay
        self.error: Exception | None = None

    async def main_loop(self) -> None:
        try:
            self.announce()
        except (FasError, BrokenPipeError) as error:  # stdout cannot be written
            self.error = error
            return
        await super().main_loop()
        self.draining.set()
        end = monotonic() + self.drain_delay
        while monotonic() < end and not self.force_exit:
            await asyncio.sleep(0.05)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until an interruption; raise what `announce` raised."""
        super().run(sockets)
        if self.error is not None:
            raise self.error


def create_server(
    app: ASGIApp,
    limits: Limits,
    metrics: Metrics | None = None,
    announce: Callable[[], None] = lambda: None,
    draining: threading.Event | None = None,
    drain_delay: float = 0,
) -> Server:
    """Configure a server; call its `run(sockets=[...])`.

    Args:
        app: the application.
        limits: `timeout` is also the time that requests in flight get to finish after an interruption.
        metrics: counts connections that were ended.
        announce: called once the server accepts requests.
        draining: set after an interruption.
        drain_delay: seconds between that and the end of new requests.
    """
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=limited_protocol(limits, metrics or Metrics()),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(round(limits.timeout), 1),
    )
    return Server(config, announce, draining or threading.Event(), drain_delay)


def run_service(
    listener: socket.socket,
    model: Path,
    options: Mapping[str, Any],
    facts: ModelFacts,
    policy: str,
    limits: Limits,
    rules: AccessRules,
    announce: Callable[[], None],
    log: Callable[[str], None] | None,
    drain_delay: float,
) -> None:
    """Serve a model until an interruption, in worker processes.

    Args:
        listener: the listening socket.
        model: the model file; `options` are those of `Predictor`, `facts` what it says of itself.
        policy: threshold policy, e.g. `eer` or `fixed:0.5`.
        limits: bounds of time, memory and number.
        rules: which requests are answered.
        announce: called once the service accepts requests.
        log: gets a line for each response; None for no log.
        drain_delay: seconds between an interruption and the end of new requests.

    Raises:
        FasError: a worker process cannot load the model.
    """
    metrics, draining = Metrics(), threading.Event()
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it logs each form that is none
    build = partial(build_scorer, limits.max_pixels, model.absolute(), **options)
    with (
        suppress(KeyboardInterrupt),
        interrupted_by_sigterm(),
        WorkerPool(build, facts, limits, metrics) as workers,
    ):
        try:
            workers.start()
        except RequestError as error:
            raise FasError(f"{model}: {error.message}") from None
        app = create_app(workers, model.name, policy, limits, rules, metrics, draining, log)
        create_server(app, limits, metrics, announce, draining, drain_delay).run(sockets=[listener])


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt in the block: uvicorn repeats the signal after it has drained."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
