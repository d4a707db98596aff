"""Counts and times of the service, in Prometheus' text format. They hold no names and nothing of an image."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Upper bounds of the latency histogram, in seconds."""

SCORE_PATH = "/v1/score"
PATHS = (SCORE_PATH, "/v1/model", "/healthz", "/ready", "/metrics", "/openapi.json", "/", "/docs")
"""Paths that are counted by name; a client can invent others without end."""


class Metrics:
    """Counters since the start. The event loop's thread writes them, and threads that score."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.connections_ended: Counter[str] = Counter()
        self.workers_ended: Counter[str] = Counter()
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a response. The histogram holds the verdicts alone: refusals are quick."""
        self.requests[path if path in PATHS else "other", status] += 1
        if path == SCORE_PATH and status == 200:
            self._buckets[bisect_left(BUCKETS, seconds)] += 1
            self._seconds += seconds

    def format(self, gauges: Mapping[str, float]) -> str:
        """Return all metrics; `gauges` holds present values, by name without the prefix."""
        return "\n".join(self._lines(gauges)) + "\n"

    def _lines(self, gauges: Mapping[str, float]) -> Iterator[str]:
        yield "# TYPE fas_serve_requests_total counter"
        for (path, status), count in sorted(self.requests.items()):
            yield f'fas_serve_requests_total{{path="{path}",status="{status}"}} {count}'
        for name, label, counts in (
            ("refusals", "error", self.refusals),
            ("verdicts", "verdict", self.verdicts),
            ("connections_ended", "reason", self.connections_ended),
            ("workers_ended", "reason", self.workers_ended),
        ):
            yield f"# TYPE fas_serve_{name}_total counter"
            for value, count in sorted(dict(counts).items()):
                yield f'fas_serve_{name}_total{{{label}="{value}"}} {count}'
        yield "# TYPE fas_serve_score_seconds histogram"
        total = 0
        for bound, count in zip((*BUCKETS, "+Inf"), self._buckets, strict=True):
            total += count
            yield f'fas_serve_score_seconds_bucket{{le="{bound}"}} {total}'
        yield f"fas_serve_score_seconds_sum {self._seconds:.6f}"
        yield f"fas_serve_score_seconds_count {total}"
        for name, gauge in gauges.items():
            yield f"# TYPE fas_serve_{name} gauge"
            yield f"fas_serve_{name} {gauge:g}"


class CountRequests:
    """ASGI middleware that counts every response and the seconds until it was complete.

    `log` gets a line for each: time, method, path, status and milliseconds. Unknown paths and queries are not
    repeated, because a client may put names there.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log: Callable[[str], None] | None) -> None:
        self.app, self.metrics, self.log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = perf_counter()
        status = 0

        async def send_and_count(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not message.get("more_body", False):
                seconds = perf_counter() - begin
                self.metrics.count_request(scope["path"], status, seconds)
                if self.log is not None:
                    path = scope["path"] if scope["path"] in PATHS else "(other)"
                    now = datetime.now(UTC).isoformat(timespec="seconds")
                    self.log(f"{now} {scope['method'][:10]} {path} {status} {seconds * 1000:.0f} ms")
            await send(message)

        await self.app(scope, receive, send_and_count)
