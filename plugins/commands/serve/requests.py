"""What clients send: one image file for each modality, as multipart form data, held in memory only."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from fas_core.card import Card
from fas_core.errors import suggest_closest
from fas_plugins.commands.serve.limits import Limits, Refusal

FORM = "multipart/form-data"
FLAGS = {"true": True, "1": True, "false": False, "0": False}
PARTS, TEXT = 100, 1000
"""Of a form: how many there may be, and the bytes of one that is text."""


async def read_images(request: Request, card: Card, limits: Limits) -> dict[str, bytes]:
    """The content of one image file for each modality.

    Raises:
        Refusal: the request is too large, no form, or not what the model takes.
    """
    _refuse_large(int(request.headers.get("content-length", 0)), limits)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        message = f"send {FORM}, one image file for each of {', '.join(card.modalities)}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_a_form", message)
    form = await _form(request, limits)
    try:
        images = await _images(form, card)
    finally:
        await form.close()
    _refuse_incomplete(images, card)
    return images


def read_flag(request: Request, name: str) -> bool:
    """A `true` or `false` of the query, false where there is none.

    Raises:
        Refusal: it is something else, or another name is given.
    """
    if unknown := sorted(set(request.query_params) - {name}):
        raise _bad(
            "unknown_parameter",
            f"unknown parameter {unknown[0][:40]!r}{suggest_closest(unknown[0][:40], [name])}",
        )
    values = request.query_params.getlist(name) or ["false"]
    if len(values) > 1 or values[0] not in FLAGS:
        raise _bad("bad_parameter", f"{name}: true or false, not {', '.join(values)[:40]!r}")
    return FLAGS[values[0]]


async def _form(request: Request, limits: Limits) -> FormData:
    class Parser(MultiPartParser):
        spool_max_size = limits.max_bytes + 1  # photos of people are not to touch a disk

    try:
        async with aclosing(_limited(request, limits)) as stream:
            parser = Parser(request.headers, stream, max_files=PARTS, max_fields=PARTS, max_part_size=TEXT)
            return await parser.parse()
    except MultiPartException as error:
        raise _bad("bad_form", f"the form cannot be read: {error.message}") from error


async def _images(form: FormData, card: Card) -> dict[str, bytes]:
    images: dict[str, bytes] = {}
    for name, value in form.multi_items():
        if name not in card.modalities:
            raise _bad(
                "unknown_field", f"unknown field {name[:40]!r}{suggest_closest(name[:40], card.modalities)}"
            )
        if name in images:
            raise _bad("repeated_field", f"{name}: send one image", name)
        if not isinstance(value, UploadFile):
            raise _bad("not_a_file", f"{name}: send the image itself, as a file of the form", name)
        images[name] = await value.read()
    return images


async def _limited(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """The body, as long as it is not too large: a chunked one does not say beforehand."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        _refuse_large(received, limits)
        yield chunk


def _refuse_large(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        message = f"the request has more than the {limits.max_bytes} bytes that are taken"
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_bytes", message)


def _refuse_incomplete(images: dict[str, bytes], card: Card) -> None:
    missing = [name for name in card.modalities if name not in images]
    if missing and not (card.input.partial and images):
        some = "one or more of " if card.input.partial else ""
        message = f"no {missing[0]!r} image: the model takes {some}{', '.join(card.modalities)}"
        raise _bad("missing_modality", message, missing[0])
    if empty := [name for name, data in images.items() if not data]:
        message = f"{empty[0]}: the image is empty (0 bytes)"
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_image", message, empty[0])


def _bad(error: str, message: str, field: str | None = None) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, error, message, field)
