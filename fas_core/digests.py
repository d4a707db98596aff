"""Digests by which files that belong together, or were damaged, are recognised.

A safetensors file of a run holds the SHA-256 of its tensors in its metadata.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from fas_core.errors import ModelError

WEIGHTS_DIGEST = "sha256"
"""Key of the tensors' digest in the metadata of a safetensors file."""


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights_digest(path: Path) -> str | None:
    """Read the digest that a safetensors file holds of its tensors; None where it holds none.

    Raises:
        ModelError: the file cannot be read as safetensors.
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(min(size, path.stat().st_size)))
            return str(header["__metadata__"][WEIGHTS_DIGEST])
        except KeyError:
            return None
        except (ValueError, TypeError, RecursionError) as error:
            raise ModelError(f"{path}: cannot be read as safetensors, damaged") from error
