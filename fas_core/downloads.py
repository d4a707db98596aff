"""Downloads: a file of a known size from an address of https, or of http where the user names one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from fas_core import __version__
from fas_core.console import console
from fas_core.errors import FasError

TIMEOUT = 30.0
"""Seconds without an answer."""
CHUNK = 1 << 16

SCHEMES = ("https", "http")


def download(address: str, name: str, size: int, advice: str) -> bytes:
    """Return the content of a file, of at most one byte more than `size`, and show how it proceeds.

    Args:
        address: of https or http.
        name: of the file, for the display.
        size: expected bytes.
        advice: how else the user can get the file, the end of the message where the host does not give it.

    Raises:
        FasError: the host cannot be reached, refuses, or redirects from https to something else.
    """
    request = Request(address, headers={"User-Agent": f"fas/{__version__}"})
    with (
        _explain_errors(address, advice),
        build_opener(SafeRedirects).open(request, timeout=TIMEOUT) as answer,
        console.progress(f"fetching {name}", size, "bytes") as bar,
    ):
        return b"".join(_read_chunks(answer, size, bar))


def check_address(address: str, name: str) -> str:
    """Return an address that a user gave by the option or variable `name`; refuse all but https and http."""
    try:
        url = urlsplit(address)
    except ValueError as error:
        raise FasError(f"{name} {address}: not an address: {error}") from error
    if url.scheme not in SCHEMES or not url.netloc:
        raise FasError(f"{name} {address}: give an address of https:// or http://")
    return address


def _read_chunks(answer: IO[bytes], size: int, bar: Any) -> Iterator[bytes]:
    """Iterate over the content, of at most one byte more than `size`."""
    remaining = size + 1
    while remaining and (chunk := answer.read(min(CHUNK, remaining))):
        remaining -= len(chunk)
        bar.advance(len(chunk))
        yield chunk


class SafeRedirects(HTTPRedirectHandler):
    """Follow redirects, but none from https to another scheme, nor to a file or FTP server."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in SCHEMES or (req.type == "https" and scheme != "https"):
            fp.close()
            raise FasError(f"{req.full_url}: refused: it redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _explain_errors(address: str, advice: str) -> Iterator[None]:
    """Raise a FasError for what can go wrong on the way to a host."""
    try:
        yield
    except HTTPError as error:
        error.close()
        reason = f"the host answered {error.code} {error.reason}".strip()
    except URLError as error:
        reason = str(getattr(error.reason, "strerror", None) or error.reason)
    except TimeoutError:
        reason = f"no answer in {TIMEOUT:g} s"
    except (HTTPException, OSError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
    else:
        return
    raise FasError(f"{address}: cannot be fetched ({reason}): check the network and the proxy, or {advice}")
