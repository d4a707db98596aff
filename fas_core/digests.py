"""Digests (SHA-256) by which files that belong together, or were damaged, are recognised.

A safetensors file of a run holds the digest of its tensors in its metadata. An exported `.onnx`, `.xml`,
`.pt2` or `.pte`, and a training state `.pt`, ends with a seal, the digest of all bytes before it; that of an
`.xml` covers the `.bin` beside it too. A JSON record holds the digest of its other values. Other programs
read sealed files as before, and files without a seal are read unchecked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.errors import DataError, ModelError

WEIGHTS_DIGEST = "sha256"
"""Key of the tensors' digest in the metadata of a safetensors file."""

SEAL_KEY = "fas_sha256"
"""What precedes the digest in a seal."""

RECORD_DIGEST = "sha256"
"""Key of the digest of a JSON record's other values."""


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights_digest(path: Path) -> str | None:
    """Read the digest that a safetensors file holds of its tensors; None where it holds none.

    Raises:
        ModelError: the file cannot be read as safetensors.
    """
    return read_metadata(path).get(WEIGHTS_DIGEST)


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata of a safetensors file; empty where there is none, or no file.

    Raises:
        ModelError: the file cannot be read as safetensors.
    """
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(min(size, path.stat().st_size)))
            return {str(key): str(value) for key, value in header.get("__metadata__", {}).items()}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(f"{path}: cannot be read as safetensors, damaged") from error


def seal_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record for JSON with the digest of its values."""
    return {**record, RECORD_DIGEST: _hash_record(record)}


def check_record(record: Mapping[str, Any], path: Path, advice: str) -> dict[str, Any]:
    """Return what was read of JSON without its digest, after a check against it.

    Raises:
        DataError: the values are not those that were written; the message ends with `advice`.
    """
    values = {key: value for key, value in record.items() if key != RECORD_DIGEST}
    if record.get(RECORD_DIGEST, expected := _hash_record(values)) != expected:
        raise DataError(f"{path}: damaged or edited since it was written: {advice}")
    return values


def _hash_record(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def seal_model_file(path: Path) -> None:
    """Append the seal to a model file or training state that has none."""
    seal = _SEALS[path.suffix.lower()]
    content = path.read_bytes().removesuffix(seal.replaced)
    sealed = content + seal.start + _hash_model(path, content).encode() + seal.end
    with path.open("r+b") as file:
        file.seek(len(content))
        file.write(sealed[len(content) :])


def check_model_file(path: Path, advice: str = "export it again") -> None:
    """Check a model file or training state against its seal.

    Raises:
        ModelError: the file, or the `.bin` beside it, is not the one that was sealed.
    """
    seal = _SEALS[path.suffix.lower()]
    content = path.read_bytes()
    size = len(seal.start) + DIGEST_DIGITS + len(seal.end)
    body, trailer = memoryview(content)[:-size], content[-size:]
    if not (trailer.startswith(seal.start) and trailer.endswith(seal.end)):
        return
    weights = path.with_suffix(seal.beside) if seal.beside else None
    if weights is not None and not weights.is_file():
        raise ModelError(f"{path}: its weights are not beside it: no {weights.name}")
    digest = trailer[len(seal.start) :][:DIGEST_DIGITS].decode(errors="replace")
    if digest != _hash_model(path, body):
        files = path.name if weights is None else f"{path.name} or its {weights.name}"
        raise ModelError(f"{path}: damaged or mixed up: {files} is not as it was written: {advice}")


@frozen
class _Seal:
    """Bytes before and after the digest at the end of a file, and the end that they replace.

    `beside` is the suffix of a further file that the digest covers.
    """

    start: bytes
    end: bytes = b""
    replaced: bytes = b""
    beside: str = ""


DIGEST_DIGITS = 64

# The comment at the end of a zip archive, after its length.
_ARCHIVE_SEAL = _Seal(b"\x4b\0fas_sha256 ", replaced=b"\0\0")
_SEALS = {
    # A field of ModelProto (14: metadata_props) with key and value; protobuf reads fields in any order.
    ".onnx": _Seal(b"\x72\x4e\x0a\x0afas_sha256\x12\x40"),
    ".xml": _Seal(b"<!-- fas_sha256 ", b" -->\n", beside=".bin"),
    ".pt": _ARCHIVE_SEAL,
    ".pth": _ARCHIVE_SEAL,
    ".pt2": _ARCHIVE_SEAL,
    # ExecuTorch's header says how long the program is; what follows is not read.
    ".pte": _Seal(b"fas_sha256 "),
}


def _hash_model(path: Path, content: bytes | memoryview) -> str:
    digest = hashlib.sha256(content)
    beside = _SEALS[path.suffix.lower()].beside
    if beside and path.with_suffix(beside).is_file():
        with path.with_suffix(beside).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
