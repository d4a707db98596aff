"""Get the files of a public model: from its source, from a mirror, or from a file or folder at hand.

`fas models get` is the only command that downloads. Addresses are of https, or of what the user names; a
file is stored only if its size and SHA-256 are those of the catalogue.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from fas_core import __version__
from fas_core.console import console
from fas_core.errors import FasError
from fas_core.runtime.public_model import PublicFile, PublicModel

MIRROR_VARIABLE = "FAS_MODELS_URL"
"""Environment variable: base address of a mirror, which holds the files as `BASE/NAME/FILE`."""

TIMEOUT = 30.0
"""Seconds without an answer."""
CHUNK = 1 << 16

SCHEMES = ("https", "http")


def locate_file(model: PublicModel, file: PublicFile, origin: str | None) -> str | Path:
    """Return the address or path to read a model's file from.

    Args:
        origin: what the user names: a file, a folder of the published files, the address of the file, or an
            address ending with `/` below which they are; None for the mirror of `FAS_MODELS_URL`, or else
            the address of the catalogue.

    Raises:
        FasError: there is no such file, or it is an address of another kind than http and https.
    """
    if origin is None:
        mirror = os.environ.get(MIRROR_VARIABLE)
        if not mirror:
            return file.url
        return f"{_check_address(mirror, MIRROR_VARIABLE).rstrip('/')}/{model.name}/{quote(file.name)}"
    if "://" in origin:
        address = _check_address(origin, "--from")
        if len(model.files) == 1 and not address.endswith("/"):
            return address
        return f"{address.rstrip('/')}/{quote(file.name)}"
    path = Path(origin)
    if path.is_file() and len(model.files) > 1:
        names = ", ".join(item.name for item in model.files)
        raise FasError(f"{path}: {model.name} has several files: give the folder that holds {names}")
    path = path / file.name if path.is_dir() else path
    if not path.is_file():
        raise FasError(f"{path}: no such file")
    return path


def fetch_file(model: PublicModel, file: PublicFile, origin: str | None, destination: Path) -> None:
    """Write one file of a model to `destination`.

    Raises:
        FasError: the host cannot be reached or refuses, or the file is not that of the catalogue.
    """
    source = locate_file(model, file, origin)
    content = _read_file(source, file) if isinstance(source, Path) else _download(source, model, file)
    if len(content) > file.size:
        raise FasError(f"{source}: larger than the {file.size:,} bytes of {model.name}: not stored")
    if len(content) < file.size:
        raise FasError(f"{source}: {len(content):,} of the {file.size:,} bytes of {model.name}: not stored")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise FasError(f"{source}: its SHA-256 is not that of {model.name} in the catalogue: not stored")
    destination.write_bytes(content)


def _read_file(path: Path, file: PublicFile) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(file.size + 1)
    except OSError as error:
        raise FasError(f"{path}: cannot be read: {error.strerror}") from error


def _download(address: str, model: PublicModel, file: PublicFile) -> bytes:
    request = Request(address, headers={"User-Agent": f"fas/{__version__}"})
    with (
        _explain_errors(address, model),
        build_opener(_SafeRedirects).open(request, timeout=TIMEOUT) as answer,
        console.progress(f"fetching {file.name}", file.size, "bytes") as bar,
    ):
        return b"".join(_read_chunks(answer, file.size, bar))


def _read_chunks(answer: IO[bytes], size: int, bar: Any) -> Iterator[bytes]:
    """Iterate over the content, of at most one byte more than `size`."""
    remaining = size + 1
    while remaining and (chunk := answer.read(min(CHUNK, remaining))):
        remaining -= len(chunk)
        bar.advance(len(chunk))
        yield chunk


class _SafeRedirects(HTTPRedirectHandler):
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
def _explain_errors(address: str, model: PublicModel) -> Iterator[None]:
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
    raise FasError(
        f"{address}: cannot be fetched ({reason}): check the network and the proxy, or get the file "
        f"elsewhere and give it: fas models get {model.name} --from FILE"
    )


def _check_address(address: str, name: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise FasError(f"{name} {address}: not an address: {error}") from error
    if parts.scheme not in SCHEMES or not parts.netloc:
        raise FasError(f"{name} {address}: give an address of https:// or http://, a file or a folder")
    return address
