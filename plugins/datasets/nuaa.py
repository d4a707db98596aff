"""NUAA Imposter Database: webcam photos of 16 people and of their printed photographs.

Tan et al., "Face Liveness Detection from a Single Image with Sparse Low Rank Bilinear Discriminative
Model" (ECCV 2010). `ClientRaw/` is live, `ImposterRaw/` printed photos; files are named
`subject_glasses_position_session_picture.jpg`. Crops that `fas data crop` wrote keep the names and the
list files, so a folder of crops is a root like the raw one.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from attrs import field, frozen

from fas_core.data.text_lists import known_split, read_lines, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.options import NuaaOptions

LISTS = {
    "client_train_raw.txt": ("ClientRaw", "train"),
    "client_test_raw.txt": ("ClientRaw", "test"),
    "imposter_train_raw.txt": ("ImposterRaw", "train"),
    "imposter_test_raw.txt": ("ImposterRaw", "test"),
}
LINE = re.compile(r"(?P<subject>\d{4})[/\\](?P<file>[^/\\]+\.\w+)")
SESSION = re.compile(r"\d{4}_\d\d_\d\d_(\d\d)_\d+\.\w+")
TRAINED = {f"{number:04}" for number in range(1, 10)}


@frozen
class Photo:
    """A photo as the lists name it; `part` is the lists' own train (sessions 1, 2) or test (3)."""

    path: str
    part: str
    subject: str

    @property
    def is_live(self) -> bool:
        return self.path.startswith("ClientRaw/")

    @property
    def session(self) -> str | None:
        named = SESSION.fullmatch(self.path.rpartition("/")[2])
        return named[1] if named else None


def official(photo: Photo) -> str | None:
    """The database's own split, by session: no dev, and subjects 1-9 are in both."""
    return photo.part


def subject_disjoint(photo: Photo) -> str | None:
    """Train: subjects 1-9, sessions 1 and 2; dev: the same people, session 3; test: everyone else.

    Only subjects 10-16, whom the train lists never show, are tested on.
    """
    if photo.subject in TRAINED:
        return "train" if photo.part == "train" else "dev"
    return "test" if "0010" <= photo.subject <= "0016" else None


PROTOCOLS = {
    "official": (official, ("train", "test"), (("train", "test"),)),
    "subject_disjoint": (subject_disjoint, ("train", "dev", "test"), (("train", "dev"),)),
}


@frozen
class Nuaa:
    """Reader of the raw database, or of its crops, below `root`."""

    options: NuaaOptions
    root: Path = field(converter=Path)

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        return PROTOCOLS[self.options.protocol][2]

    @property
    def notes(self) -> tuple[str, ...]:
        """The lists name people whose photos the public copies lack; crops lack those without a face."""
        listed_photos, there = self._photos
        if not (absent := len(listed_photos) - len(there)):
            return ()
        gone = {photo.subject for photo in listed_photos} - {photo.subject for photo in there}
        whole = f", all those of subjects {format_list(sorted(gone), 10)} among them" if gone else ""
        return (f"{absent} of {len(listed_photos)} listed photos are not there{whole}; the others are used",)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        return PROTOCOLS[self.options.protocol][1]

    def samples(self, split: str) -> SampleTable:
        """Photos of a split; `species` is `live` or `print`.

        Raises:
            DataError: a list is missing or malformed, or the split lacks a class.
        """
        known_split(split, self.splits(), self.root)
        assign = PROTOCOLS[self.options.protocol][0]
        photos = [photo for photo in self._photos[1] if assign(photo) == split]
        for name, live in (("live", True), ("attack", False)):
            if not any(photo.is_live is live for photo in photos):
                raise DataError(f"{self.root}: no {name} photos of the {split!r} split are there")
        return SampleTable.of(
            {
                "id": [photo.path for photo in photos],
                "split": [split] * len(photos),
                "rgb": [photo.path for photo in photos],
                "label": [LIVE if photo.is_live else ATTACK for photo in photos],
                "species": ["live" if photo.is_live else "print" for photo in photos],
                "subject": [photo.subject for photo in photos],
                "session": [photo.session for photo in photos],
            },
            modalities=("rgb",),
            root=self.root,
        )

    @cached_property
    def _photos(self) -> tuple[list[Photo], list[Photo]]:
        """All photos that the lists name, and those of them that are there."""
        named: list[Photo] = []
        problems: list[str] = []
        for file, (folder, part) in LISTS.items():
            for number, line in enumerate(read_lines(self.root / file), 1):
                if match := LINE.fullmatch(line):
                    subject = match["subject"]
                    named.append(Photo(f"{folder}/{subject}/{match['file']}", part, subject))
                elif line:
                    problems.append(f"{self.root / file}:{number}: {line!r} is not like 0001/name.jpg")
        refuse(self.root, problems)
        folders = {photo.path.rpartition("/")[0] for photo in named}
        there = {f"{folder}/{name}" for folder in folders for name in _names(self.root / folder)}
        return named, [photo for photo in named if photo.path in there]


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []
