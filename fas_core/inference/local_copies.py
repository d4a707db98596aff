"""Photos that a manifest names by URLs, copied to this machine while their rows are scored.

Whatever fsspec opens is read (`s3://` where s3fs is installed, `gs://` where gcsfs is); a `file://` URL is
the file itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from attrs import evolve, field, frozen

from fas_core.atomic import temporary_folder
from fas_core.data.images import MAX_BYTES
from fas_core.data.parallel import ordered
from fas_core.errors import DataError
from fas_core.inference.part_folder import describe_failure, open_file_system
from fas_core.records.samples import SampleTable

URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
CONNECTIONS = 16
"""Photos that are copied at the same time: of an object store one waits for, not reads."""


@frozen(eq=False)
class LocalCopies:
    """Samples whose images are all files of this machine.

    Args:
        samples: with paths in place of URLs.
        urls: `{path: its URL}`.
    """

    samples: SampleTable
    urls: dict[str, str] = field(factory=dict)

    def name_urls(self, text: str) -> str:
        """Return a message with the URLs in place of the paths of their copies."""
        for path, url in self.urls.items():
            text = text.replace(path, url)
        return text


@contextmanager
def local_copies(samples: SampleTable) -> Iterator[LocalCopies]:
    """Copy the photos that samples name by URLs to a temporary folder; remove it after the block.

    A DataError of the block names the URL, and so does that of a photo that does not exist.

    Raises:
        DataError: a photo cannot be read, for another reason than that it does not exist.
        FasError: what opens such URLs is not installed.
    """
    urls = sorted(
        {path for name in samples.modalities for path in samples.column(name) if path and URL.match(path)}
    )
    if not urls:
        yield LocalCopies(samples)
        return
    with temporary_folder() as folder:
        paths = ordered(lambda item: _copy(*item, folder), list(enumerate(urls)), CONNECTIONS)
        copies = _replace_urls(samples, dict(zip(urls, paths, strict=True)))
        try:
            yield copies
        except DataError as error:
            raise DataError(copies.name_urls(error.message), map(copies.name_urls, error.problems)) from error


def _copy(number: int, url: str, folder: Path) -> str:
    """Copy a photo into the folder and return its path; a missing photo has no file there."""
    files, path = open_file_system(url)
    if url.lower().startswith("file://"):
        return path
    copy = folder / f"{number:06}{Path(path).suffix}"
    try:
        # One byte more than is read of an image, so that the reader refuses a larger one.
        copy.write_bytes(files.cat_file(path, end=MAX_BYTES + 1))
    except FileNotFoundError:
        pass
    except Exception as error:  # every file system has errors of its own
        raise DataError(f"{url}: cannot be copied: {describe_failure(error)}") from error
    return str(copy)


def _replace_urls(samples: SampleTable, paths: dict[str, str]) -> LocalCopies:
    """Return samples with the paths in place of the URLs, `{URL: path}`."""
    table = samples.table
    for name in samples.modalities:
        column = pa.array([paths.get(path, path) for path in samples.column(name)], pa.string())
        table = table.set_column(table.column_names.index(name), name, column)
    return LocalCopies(evolve(samples, table=table), {path: url for url, path in paths.items()})
