"""The folder of a large job's scores, a Parquet file for each part of its rows: local, or a URL of fsspec.

A part's file has its number and the job's digest in its name, and appears when it is complete: what is there
is finished, and what is finished is of this job.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from attrs import frozen

from fas_core.atomic import is_temporary, replacing
from fas_core.data.files import describe_failure
from fas_core.data.remote_files import open_file_system
from fas_core.errors import DataError, FasError, format_list
from fas_core.urls import to_location


@frozen
class PartFolder:
    """A folder that holds the parts of one job alone.

    Args:
        url: path or URL (`s3://bucket/scores`) of the folder, which every worker must reach.
        job: hexadecimal digits that stand for all that the scores depend on.
        count: number of parts.
    """

    url: str
    job: str
    count: int

    def __str__(self) -> str:
        return str(to_location(self.url))

    def name(self, number: int) -> str:
        """Return the name of a part's file, by its number from 0."""
        return f"part-{number:05}-of-{self.count:05}-{self.job}.parquet"

    def finished(self) -> frozenset[int]:
        """Return the numbers of the parts that are there.

        Raises:
            DataError: the folder holds something else, such as scores of another model.
            FasError: it cannot be listed.
        """
        files, path = open_file_system(self.url)
        try:
            files.invalidate_cache()
            entries = [str(entry).rpartition("/")[2] for entry in files.ls(path, detail=False)]
        except FileNotFoundError:
            return frozenset()
        except Exception as error:  # every file system has errors of its own
            raise FasError(f"{self}: cannot be listed: {describe_failure(error)}") from None
        names = {name for name in entries if name and not is_temporary(name)}
        numbers = {self.name(number): number for number in range(self.count)}
        if others := sorted(names - numbers.keys()):
            raise DataError(
                f"{self}: holds something else than the parts of this job ({format_list(others, 2)}), "
                "such as scores of another model, manifest or options: give another folder"
            )
        return frozenset(numbers[name] for name in names)

    def write(self, number: int, table: pa.Table) -> None:
        """Write a part; its file appears when it is complete.

        Raises:
            FasError: it cannot be written.
        """
        files, path = open_file_system(self.url)
        buffer = io.BytesIO()
        pa.parquet.write_table(table, buffer, write_page_checksum=True)
        if _is_local(files):
            with replacing(Path(path, self.name(number))) as temporary:
                temporary.write_bytes(buffer.getvalue())
            return
        try:  # object stores show an object when it is complete
            files.pipe_file(f"{path}/{self.name(number)}", buffer.getvalue())
        except Exception as error:
            raise FasError(f"{self}: cannot be written: {describe_failure(error)}") from None

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read all parts in order as one table, or some of its columns.

        Raises:
            DataError: a part is missing or damaged.
        """
        files, path = open_file_system(self.url)
        names = [self.name(number) for number in range(self.count)]
        return pa.concat_tables([self._read_part(files, path, name, columns) for name in names])

    def _read_part(self, files: Any, path: str, name: str, columns: Sequence[str] | None) -> pa.Table:
        try:
            data = io.BytesIO(files.cat_file(f"{path}/{name}"))
            selected = None if columns is None else list(columns)
            return pa.parquet.read_table(data, columns=selected, page_checksum_verification=True)
        except Exception as error:
            problem = f"{self}/{name}: cannot be read: {describe_failure(error)}"
            raise DataError(f"{problem}: remove it, and give the command again") from None


def _is_local(files: Any) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(files, LocalFileSystem)
