"""NUAA Imposter Database: webcam photos of 16 people and of their printed photographs.

Tan et al., "Face Liveness Detection from a Single Image with Sparse Low Rank Bilinear Discriminative Model"
(ECCV 2010). `ClientRaw/` is live, `ImposterRaw/` printed photos; files are named
`subject_glasses_position_session_picture.jpg`. A folder of crops from `fas data crop` keeps the names and
the lists, so it can be the root as well.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from attrs import frozen

from fas_core.data.text_lists import read_lines, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.options import NuaaOptions

LISTS = {
    "client_train_raw.txt": ("ClientRaw", "train"),
    "client_test_raw.txt": ("ClientRaw", "test"),
    "imposter_train_raw.txt": ("ImposterRaw", "train"),
    "imposter_test_raw.txt": ("ImposterRaw", "test"),
}
LINE = re.compile(r"(?P<subject>\d{4})[/\\](?P<file>[^/\\]+\.\w+)")
SESSION = re.compile(r"\d{4}_\d\d_\d\d_(\d\d)_\d+\.\w+")
TRAIN_SUBJECTS = {f"{number:04}" for number in range(1, 10)}
TEST_SUBJECTS = {f"{number:04}" for number in range(10, 17)}


@frozen
class Photo:
    """A photo in the lists; `list_split` is the lists' train (sessions 1 and 2) or test (session 3)."""

    path: str
    list_split: str
    subject: str

    @property
    def is_live(self) -> bool:
        return self.path.startswith("ClientRaw/")

    @property
    def session(self) -> str | None:
        match = SESSION.fullmatch(self.path.rpartition("/")[2])
        return match[1] if match else None


def assign_official(photo: Photo) -> str | None:
    """Return the database's own split, by session. Subjects 1-9 are in both splits; there is no dev."""
    return photo.list_split


def assign_subject_disjoint(photo: Photo) -> str | None:
    """Return train for subjects 1-9 in sessions 1 and 2, dev for them in session 3, test for subjects 10-16.

    The train lists never show the test subjects.
    """
    if photo.subject in TRAIN_SUBJECTS:
        return "train" if photo.list_split == "train" else "dev"
    return "test" if photo.subject in TEST_SUBJECTS else None


# (split of a photo, splits, pairs of splits that share subjects)
PROTOCOLS = {
    "official": (assign_official, ("train", "test"), (("train", "test"),)),
    "subject_disjoint": (assign_subject_disjoint, ("train", "dev", "test"), (("train", "dev"),)),
}


@frozen
class Nuaa(Reader[NuaaOptions]):
    """Reader of the raw database, or of its crops."""

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        return PROTOCOLS[self.options.protocol][2]

    @property
    def notes(self) -> tuple[str, ...]:
        """Listed photos without a file: public copies lack some people, crops lack photos without a face."""
        listed, existing = self._photos
        missing = len(listed) - len(existing)
        if not missing:
            return ()
        subjects = {photo.subject for photo in listed} - {photo.subject for photo in existing}
        detail = (
            f", all photos of subjects {format_list(sorted(subjects), 10)} among them" if subjects else ""
        )
        return (f"{missing} of {len(listed)} listed photos are missing{detail}; the others are used",)

    def splits(self) -> tuple[str, ...]:
        return PROTOCOLS[self.options.protocol][1]

    def _read(self, split: str) -> SampleTable:
        """Read the photos of a split; `species` is `live` or `print`.

        Raises:
            DataError: a list is missing or malformed, or the split lacks a class.
        """
        assign_split = PROTOCOLS[self.options.protocol][0]
        photos = [photo for photo in self._photos[1] if assign_split(photo) == split]
        for name, is_live in (("live", True), ("attack", False)):
            if not any(photo.is_live is is_live for photo in photos):
                raise DataError(f"{self.root}: no {name} photos in the {split!r} split")
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
        """All listed photos, and those of them that exist."""
        listed: list[Photo] = []
        problems: list[str] = []
        for file, (folder, split) in LISTS.items():
            for number, line in enumerate(read_lines(self.root / file), 1):
                if match := LINE.fullmatch(line):
                    subject = match["subject"]
                    listed.append(Photo(f"{folder}/{subject}/{match['file']}", split, subject))
                elif line:
                    problems.append(f"{self.root / file}:{number}: {line!r} is not like 0001/name.jpg")
        refuse(self.root, problems)
        folders = {photo.path.rpartition("/")[0] for photo in listed}
        files = {f"{folder}/{name}" for folder in folders for name in _list_names(self.root / folder)}
        return listed, [photo for photo in listed if photo.path in files]


def _list_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []
