"""Files that fsspec opens: `s3://` where s3fs is installed, `gs://` where gcsfs is, `memory://`, and more.

Files in zip archives are read by `fas_core.data.archives`.

A file system is opened where it is used, each time: fsspec keeps those that are open, for each process, so
that one that was forked never uses the connections of the other. What goes wrong but that a file does not
exist is no DataError: a store that cannot be reached does not make an image a bad one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from fas_core.data.files import MAX_BYTES, describe_failure
from fas_core.errors import FasError, require
from fas_core.names import escape_controls
from fas_core.urls import Location, Url, split_archive, to_location

if TYPE_CHECKING:  # images are read without pyarrow, too
    from concurrent.futures import Future

    from fas_core.records.samples import SampleTable

CONNECTIONS = 16
"""Files that a process reads at the same time: of an object store one waits for, not reads."""

_FETCHED: ContextVar[Mapping[Url, Future[bytes]]] = ContextVar("_FETCHED", default=MappingProxyType({}))
"""What is read ahead for a thread."""


def open_file_system(address: str) -> tuple[Any, str]:
    """Return the fsspec file system of a path or URL, and the path in it.

    Raises:
        FasError: fsspec, or its module for such URLs, is not installed; or there is none.
    """
    require("storage", "fsspec")
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise FasError(f"{to_location(address)}: {escape_controls(str(error))}") from None
    except Exception as error:  # every file system has errors of its own
        raise FasError(f"{to_location(address)}: cannot be opened: {describe_failure(error)}") from None
    return files, str(path)


def _open_container(url: Url) -> tuple[Any, str]:
    """Return the archive or the file system of a file, and the path in it; raises as their functions."""
    if (archived := split_archive(url)) is None:
        return open_file_system(url.address)
    archive, path = archived
    from fas_core.data.archives import open_archive  # slow to import, and few images lie in one

    return open_archive(archive, _open_remote), path


def _open_remote(url: Url) -> BinaryIO:
    """Open a file for reading here and there in it; raise FasError where that fails."""
    files, path = open_file_system(url.address)
    try:
        return cast(BinaryIO, files.open(path, "rb"))
    except FileNotFoundError:
        raise FasError(f"{url}: the archive cannot be read: No such file or directory") from None
    except Exception as error:
        raise FasError(f"{url}: the archive cannot be read: {describe_failure(error)}") from None


def read_remote(url: Url) -> bytes:
    """Read a file, or take what `fetching` reads of it; of one larger than `MAX_BYTES`, one byte more.

    Raises:
        FileNotFoundError: it does not exist.
        DataError: it cannot be unpacked from its archive, or would be larger than any image.
        FasError: it cannot be read, or as `open_file_system`.
    """
    fetched = _FETCHED.get().get(url)
    return _read(url) if fetched is None else fetched.result()


def _read(url: Url) -> bytes:
    files, path = _open_container(url)
    try:
        return bytes(files.cat_file(path, end=MAX_BYTES + 1))
    except FileNotFoundError:
        raise FileNotFoundError(str(url)) from None
    except FasError:
        raise
    except Exception as error:  # not chained: it may show the URL with its credentials
        raise FasError(f"{url}: cannot be read: {describe_failure(error)}") from None


@contextmanager
def fetching(locations: Iterable[Location]) -> Iterator[None]:
    """Read the URLs among some locations at the same time, for this thread's `read_remote` in the block.

    What goes wrong is raised when the file's turn comes.
    """
    urls = {location for location in locations if isinstance(location, Url)}
    if not urls:
        yield
        return
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and local files need none

    pool = ThreadPoolExecutor(CONNECTIONS)
    token = _FETCHED.set({url: pool.submit(_read, url) for url in urls})
    try:
        yield
    finally:
        _FETCHED.reset(token)
        pool.shutdown(cancel_futures=True)


def measure_remote(url: Url) -> int | None:
    """Return the size of a file in bytes; None of one that does not exist or whose size is not told.

    Raises:
        FasError: it cannot be asked for, or as `open_file_system`.
    """
    files, path = _open_container(url)
    try:
        size = files.size(path)
    except FileNotFoundError:
        return None
    except Exception as error:
        raise FasError(f"{url}: its size cannot be read: {describe_failure(error)}") from None
    return None if size is None else int(size)


def exists_remote(url: Url) -> bool:
    """Whether a file exists. Stores that may not be listed forbid to ask for what does not exist.

    Raises:
        FasError: it cannot be asked for, or as `open_file_system`.
    """
    files, path = _open_container(url)
    try:
        return bool(files.info(path)["type"] == "file")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    except Exception as error:
        raise FasError(f"{url}: cannot be looked for: {describe_failure(error)}") from None


def reading_threads(samples: SampleTable, workers: int) -> int:
    """Return how many threads read samples: `workers`, and at least `CONNECTIONS` where URLs are read."""
    return max(workers, CONNECTIONS) if samples.is_remote else workers
