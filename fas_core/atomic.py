"""Atomic writing: to a temporary path first, which is renamed at the end, so that no file is half-written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fas_core.errors import FasError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    Parent folders are made. The block may make the temporary path a file, or a folder if there is no `path`.
    If the disk is full or read-only, or the folder cannot be written, it raises FasError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if not _is_about(error, path, temporary):
            raise
        raise FasError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        elif temporary.exists():  # it does not if a parent of `path` is a file
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_all(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Like `replacing`, for files of one folder that refer to each other: temporary files keep the names."""
    folder = paths[0].with_name(f".{paths[0].name}.{os.getpid()}.part")
    temporaries = tuple(folder / path.name for path in paths)
    try:
        folder.mkdir(parents=True)
        yield temporaries
        for temporary, path in zip(temporaries, paths, strict=True):
            temporary.replace(path)
    except OSError as error:
        if not _is_about(error, paths[0], folder):
            raise
        raise FasError(f"{paths[0]}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_about(error: OSError, path: Path, temporary: Path) -> bool:
    """Whether the error is about writing `path`, not about something else that the block does."""
    if isinstance(error, (ConnectionError, ChildProcessError)):
        return False
    if error.filename is None:
        return True
    file = Path(os.fsdecode(error.filename))
    return file in (path, temporary, path.parent) or temporary in file.parents
