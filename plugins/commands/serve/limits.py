"""How much one client may ask of the service, and how it is refused."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from attrs import field, frozen
from attrs import validators as v

from fas_core.data.images import MAX_PIXELS


@frozen
class Limits:
    """Of the service. Memory is bounded by them: `concurrency` times a request and its decoded images.

    Args:
        max_bytes: of a request's body.
        max_pixels: of an image, known from its header before it is decoded.
        timeout: seconds for a request to arrive and be answered.
        concurrency: requests that are received or scored at the same time; the next is refused.
    """

    max_bytes: int = field(default=20_000_000, validator=v.ge(1))
    max_pixels: int = field(default=25_000_000, validator=[v.ge(1), v.le(MAX_PIXELS)])
    timeout: float = field(default=20.0, validator=v.gt(0))
    concurrency: int = field(default=8, validator=v.ge(1))


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """Why a request gets no score.

    Args:
        status: of HTTP.
        error: a word for programs, e.g. `no_face`.
        message: a line for people.
        field: the modality that it is about.
    """

    def __init__(self, status: HTTPStatus, error: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.error, self.message, self.field = status, error, message, field

    def to_json(self) -> dict[str, Any]:
        return {"error": self.error, "message": self.message, "field": self.field}
