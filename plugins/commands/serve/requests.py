"""Read what clients send: one image file per modality, as multipart form data, held in memory only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from http import HTTPStatus

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from fas_core.card import Card
from fas_core.errors import suggest_closest
from fas_plugins.commands.serve.limits import Limits, RequestError

FORM = "multipart/form-data"
FLAGS = {"true": True, "1": True, "false": False, "0": False}
MAX_FIELDS, MAX_TEXT_BYTES = 100, 1000
"""Limits of a form: the number of its fields, and the bytes of a text field."""

MAX_NAME = 40
"""Characters of a client's text that an error message repeats."""


async def read_images(request: Request, card: Card, limits: Limits) -> dict[str, bytes]:
    """Return the content of one image file per modality.

    Raises:
        RequestError: the request is too large, is not a form, or lacks an image that the model needs.
    """
    _check_size(int(request.headers.get("content-length", 0)), limits)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        message = f"send {FORM}, one image file for each of {', '.join(card.input.photos)}"
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_a_form", message)
    form = await _parse_form(request, limits)
    try:
        images = await _read_files(form, card)
    finally:
        await form.close()
    _check_images(images, card)
    return images


def read_flag(request: Request, name: str) -> bool | None:
    """Return a boolean query parameter, None if it is missing.

    Raises:
        RequestError: the value is not a boolean, or the query has another parameter.
    """
    if unknown := sorted(set(request.query_params) - {name}):
        raise _bad_request("unknown_parameter", _describe_unknown("parameter", unknown[0], [name]))
    values = request.query_params.getlist(name)
    if not values:
        return None
    if len(values) > 1 or values[0] not in FLAGS:
        raise _bad_request("bad_parameter", f"{name}: true or false, not {', '.join(values)[:MAX_NAME]!r}")
    return FLAGS[values[0]]


async def _parse_form(request: Request, limits: Limits) -> FormData:
    class Parser(MultiPartParser):
        spool_max_size = limits.max_bytes + 1  # photos of people must not be written to disk

    try:
        async with aclosing(_stream_body(request, limits)) as stream:
            parser = Parser(
                request.headers,
                stream,
                max_files=MAX_FIELDS,
                max_fields=MAX_FIELDS,
                max_part_size=MAX_TEXT_BYTES,
            )
            return await parser.parse()
    except MultiPartException as error:
        raise _bad_request("bad_form", f"the form cannot be read: {error.message}") from error


async def _read_files(form: FormData, card: Card) -> dict[str, bytes]:
    images: dict[str, bytes] = {}
    for name, value in form.multi_items():
        if name not in card.input.photos:
            raise _bad_request("unknown_field", _describe_unknown("field", name, card.input.photos))
        if name in images:
            raise _bad_request("repeated_field", f"{name}: send one image", name)
        if not isinstance(value, UploadFile):
            raise _bad_request("not_a_file", f"{name}: send the image itself, as a file of the form", name)
        images[name] = await value.read()
    return images


async def _stream_body(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """Yield the body, checking its size on the way: a chunked request does not declare its length."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        _check_size(received, limits)
        yield chunk


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        message = f"the request is larger than the limit of {limits.max_bytes} bytes"
        raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_bytes", message)


def _check_images(images: dict[str, bytes], card: Card) -> None:
    missing = [name for name in card.input.photos if name not in images]
    if missing and not (card.input.partial and images):
        some = "one or more of " if card.input.partial else ""
        message = f"no {missing[0]!r} image: the model takes {some}{', '.join(card.input.photos)}"
        raise _bad_request("missing_modality", message, missing[0])
    for name, data in images.items():
        if not data:
            message = f"{name}: the image is empty (0 bytes)"
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_image", message, name)


def _describe_unknown(kind: str, name: str, known: Iterable[str]) -> str:
    name = name[:MAX_NAME]
    return f"unknown {kind} {name!r}{suggest_closest(name, known)}"


def _bad_request(error: str, message: str, field: str | None = None) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, error, message, field)
