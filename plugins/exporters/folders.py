"""Exports that are folders: they appear whole, and messages name them, not what they are written as."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fas_core.atomic import replacing
from fas_core.errors import FasError


@contextmanager
def replacing_folder(destination: Path, model: str) -> Iterator[Path]:
    """Yield the path of a model file in a temporary folder, which is renamed to `destination` on success.

    Args:
        model: the model file, relative to the folder.

    Raises:
        FasError: `destination` exists, or cannot be written; errors of the block name `destination`.
    """
    if destination.exists():
        raise FasError(f"{destination}: is there already: remove it or name another folder")
    with replacing(destination) as temporary:
        path = temporary / model
        path.parent.mkdir(parents=True)
        try:
            yield path
        except FasError as error:
            raise type(error)(error.message.replace(str(path), str(destination)), error.problems) from error
