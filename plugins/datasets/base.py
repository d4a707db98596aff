"""Base class of the data-set readers, with the defaults of the `DatasetReader` contract."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

from attrs import field, frozen

from fas_core.data.text_lists import known_split
from fas_core.errors import DataError
from fas_core.records.samples import SampleTable
from fas_core.text_files import shorten

Options = TypeVar("Options")


@frozen
class Reader(ABC, Generic[Options]):
    """A `fas_core.contracts.DatasetReader` of data on disk: a subclass lists its splits and reads one.

    Args:
        options: of the data set.
        root: the folder (or file) of the data.
    """

    options: Options
    root: Path = field(converter=Path)

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        """Pairs of splits that share subjects by the design of the protocol."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each thing a user should know about the data."""
        return ()

    def prepare(self) -> None:
        """Do nothing: the data are on disk."""

    @abstractmethod
    def splits(self) -> tuple[str, ...]:
        """Return the names of the splits."""

    def samples(self, split: str) -> SampleTable:
        """Read the samples of one split.

        Raises:
            DataError: there is no such split, or its data cannot be read; all problems are named.
        """
        try:
            return self._read(known_split(split, self.splits(), self.root))
        except OSError as error:  # a name in a list can be longer than any file's
            name = shorten(str(error.filename or self.root), 300)
            raise DataError(f"{name}: cannot be read: {error.strerror or error}") from error

    @abstractmethod
    def _read(self, split: str) -> SampleTable:
        """Read the samples of one of `splits()`."""
