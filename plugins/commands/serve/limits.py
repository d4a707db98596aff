"""The limits of the service, and the error that refuses a request."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from attrs import field, frozen
from attrs import validators as v

from fas_core.data.images import MAX_PIXELS


@frozen
class Limits:
    """Limits of the service. They bound its memory, its processes, its connections and its time.

    Args:
        max_bytes: largest request body, in bytes.
        max_pixels: largest image, in pixels; read from its header before it is decoded.
        timeout: seconds in which a request must arrive and be answered.
        concurrency: number of requests that are received or scored at the same time, and of workers.
        queue: number of further requests that wait for one of these to end; more are refused.
        scoring_timeout: seconds after which a worker that decodes and scores one request is ended.
        max_memory: megabytes that a worker may use for one request, besides the model.
        max_connections: number of open connections.
        header_timeout: seconds in which the headers of a request must arrive.
    """

    max_bytes: int = field(default=20_000_000, validator=v.ge(1))
    max_pixels: int = field(default=25_000_000, validator=[v.ge(1), v.le(MAX_PIXELS)])
    timeout: float = field(default=20.0, validator=v.gt(0))
    concurrency: int = field(default=8, validator=v.ge(1))
    queue: int = field(default=64, validator=v.ge(0))
    scoring_timeout: float = field(default=5.0, validator=v.gt(0))
    max_memory: int = field(default=1000, validator=v.ge(1))
    max_connections: int = field(default=256, validator=v.ge(1))
    header_timeout: float = field(default=10.0, validator=v.gt(0))


class RequestError(Exception):
    """A request that gets an error response instead of a score.

    Args:
        status: HTTP status.
        error: short code for programs, e.g. `no_face`.
        message: one line for people.
        field: modality that the error is about; None if it is about the whole request.
    """

    def __init__(self, status: HTTPStatus, error: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.error, self.message, self.field = status, error, message, field

    def to_json(self) -> dict[str, Any]:
        return {"error": self.error, "message": self.message, "field": self.field}
