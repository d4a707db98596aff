"""Get the files of a public model: from its source, from a mirror, or from a file or folder at hand.

Addresses are of https, or of what the user names; a file is stored only if its size and SHA-256 are those
of the catalogue.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote

from fas_core.downloads import check_address, download
from fas_core.errors import FasError
from fas_core.runtime.public_model import PublicFile, PublicModel

MIRROR_VARIABLE = "FAS_MODELS_URL"
"""Environment variable: base address of a mirror, which holds the files as `BASE/NAME/FILE`."""


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
        return f"{check_address(mirror, MIRROR_VARIABLE).rstrip('/')}/{model.name}/{quote(file.name)}"
    if "://" in origin:
        address = check_address(origin, "--from")
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
    advice = f"get the file elsewhere and give it: fas models get {model.name} --from FILE"
    return download(address, file.name, file.size, advice)
