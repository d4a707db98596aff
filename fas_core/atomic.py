"""Writing so that a failure leaves nothing half-written: a temporary name first, then a rename."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fas_core.errors import FasError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    Parent folders are made. Works for a file or, when the temporary is made one, a folder that is
    not there yet.

    Raises:
        FasError: the disk is full or read-only, or the place cannot be written.
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
        elif temporary.exists():  # not so where `path` lies below a file
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_all(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Like `replacing`, for files of one folder that know each other by name: the temporaries keep theirs.

    Raises:
        FasError: as `replacing` does.
    """
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
    """Whether the error is the disk's answer about this file and not of something else inside."""
    if isinstance(error, (ConnectionError, ChildProcessError)):
        return False
    if error.filename is None:
        return True
    named = Path(os.fsdecode(error.filename))
    return named in (path, temporary, path.parent) or temporary in named.parents
