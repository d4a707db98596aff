"""The data set as `fas` reads it: the samples of a split of a protocol."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from attrs import frozen

from fas_core import DataError, SampleTable
from fas_turnstile.index import SPLITS, Photo, read_index
from fas_turnstile.options import TurnstileOptions


@frozen(slots=False)
class Turnstile:
    """A reader of the folder `root`; `fas_core.contracts.DatasetReader` says what each method is."""

    options: TurnstileOptions
    root: Path

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        """No person is in two splits."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """How many photos have no class: figures are of the others."""
        unknown = sum(photo.label is None for photo in self._photos)
        return (f"{unknown} of {len(self._photos)} photos have no class",) if unknown else ()

    def prepare(self) -> None:
        """Do nothing: the data are on disk."""

    def splits(self) -> tuple[str, ...]:
        return SPLITS

    def samples(self, split: str) -> SampleTable:
        """Read the photos of a split; raise DataError if the protocol has none there."""
        photos = [photo for photo in self._photos if photo.split == split and self._takes(photo)]
        if not photos:
            raise DataError(f"{self.root}: protocol {self.options.protocol}: no photos in {split!r}")
        return SampleTable.of(
            {
                "id": [photo.file for photo in photos],
                "split": [split] * len(photos),
                "rgb": [photo.file for photo in photos],
                "label": [photo.label for photo in photos],
                "species": [photo.species for photo in photos],
                "subject": [photo.person for photo in photos],
                "device": [f"gate {photo.gate}" for photo in photos],
            },
            modalities=("rgb",),
            root=self.root,
        )

    def _takes(self, photo: Photo) -> bool:
        """Whether the protocol has this photo in its split."""
        left_out = self.options.left_out
        return left_out is None or (photo.gate == left_out) is (photo.split == "test")

    @cached_property
    def _photos(self) -> list[Photo]:
        return read_index(self.root)
