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
        with _explain_errors(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.replace(path)
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
        with _explain_errors(paths[0], folder):
            folder.mkdir(parents=True)
            yield temporaries
            for temporary, path in zip(temporaries, paths, strict=True):
                temporary.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _explain_errors(path: Path, temporary: Path) -> Iterator[None]:
    """Raise FasError for an error about writing `path`, not about something else that the block does."""
    try:
        yield
    except (ConnectionError, ChildProcessError):
        raise
    except OSError as error:
        file = temporary if error.filename is None else Path(os.fsdecode(error.filename))
        if file not in (path, temporary, path.parent) and temporary not in file.parents:
            raise
        raise FasError(f"{path}: cannot be written: {error.strerror or error}") from error
