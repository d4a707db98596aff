"""CelebA-Spoof: photos of celebrities, and of prints, screens and masks that show them.

Zhang et al., "CelebA-Spoof: Large-Scale Face Anti-Spoofing Dataset with Rich Annotations" (ECCV 2020, arXiv
2007.12342). Lists such as `metas/intra_test/train_label.json` have 44 numbers for each photo
(`Data/train/1/live/000184.jpg`): the 40 attributes of CelebA, then spoof type, illumination, environment, and
1 for an attack, 0 for live: inverted here, so that 1 = live as everywhere. `000184_BB.txt` beside a photo is
the face as `x y w h score`, in units of which the photo is 224 wide and 224 high.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from math import isfinite
from pathlib import Path
from typing import Any

from attrs import field, frozen

from fas_core.console import console
from fas_core.data.image_size import read_shape
from fas_core.data.parallel import cores, ordered
from fas_core.data.text_lists import NO_FACE, known_split, read_lines, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.options import CelebaSpoofOptions

FOLDERS = {
    "intra_test": "metas/intra_test",
    "1": "metas/protocol1",
    **{
        f"2@{quality}": f"metas/protocol2/test_on_{quality}_quality_device"
        for quality in ("high", "middle", "low")
    },
}
LISTS = {"train": "train_label.json", "test": "test_label.json"}
NUMBERS, TYPE, ENVIRONMENT, SPOOF = 44, 40, 42, 43
SPECIES = (
    "live",
    "photo",
    "poster",
    "a4",
    "face_mask",
    "upper_body_mask",
    "region_mask",
    "pc",
    "pad",
    "phone",
    "mask_3d",
)
ENVIRONMENTS = {1: "indoor", 2: "outdoor"}
LABELS = {"live": LIVE, "spoof": ATTACK}
UNIT = 224
Box = tuple[float, float, float, float]


@frozen
class CelebaSpoof:
    """Reader of the lists and, where there are any, of the boxes beside the photos."""

    options: CelebaSpoofOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)
    _poor: dict[str, list[str]] = field(factory=dict, init=False, repr=False, eq=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """Of the splits read so far: photos without a usable box, where others have one."""
        return tuple(
            f"{len(paths)} {split} photos have no usable box, and are taken whole: {format_list(paths)}"
            for split, paths in self._poor.items()
            if paths
        )

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        """The splits that have a list.

        Raises:
            DataError: none has.
        """
        folder = self.root / FOLDERS[self.options.protocol]
        if found := tuple(split for split, name in LISTS.items() if (folder / name).is_file()):
            return found
        raise DataError(f"{folder}: no {LISTS['train']} here: choose another root or `protocol`")

    def samples(self, split: str) -> SampleTable:
        """Photos of a split, in the order of its list; `id` is the path as it is written there.

        Subject is the person's folder, session the environment of attacks (`indoor` or `outdoor`).

        Raises:
            DataError: the list is malformed, its labels contradict types or folders, or photos are not
                there; all of them are named.
        """
        known_split(split, self.splits(), self.root)
        file = self.root / FOLDERS[self.options.protocol] / LISTS[split]
        photos = _listed(file)
        there = _names(self.root, photos)
        faceless = set(read_lines(self.root / NO_FACE)) if (self.root / NO_FACE).is_file() else set()
        absent = [path for path in photos if path not in there]
        refuse(file, [f"{file}: {path}: no such photo" for path in absent if path not in faceless])
        paths = [path for path in photos if path in there]
        if not paths:
            raise DataError(f"{file}: names no photos")
        return SampleTable.of(
            {
                "id": paths,
                "split": [split] * len(paths),
                "rgb": paths,
                "label": [ATTACK if photos[path][SPOOF] else LIVE for path in paths],
                "species": [_species(photos[path][TYPE]) for path in paths],
                "subject": [path.split("/")[-3] for path in paths],
                "session": [ENVIRONMENTS.get(photos[path][ENVIRONMENT]) for path in paths],
                "box": self._boxes(split, paths, there) if self.options.boxes else None,
            },
            modalities=("rgb",),
            root=self.root,
        )

    def _boxes(self, split: str, paths: list[str], there: set[str]) -> list[Box | None]:
        """The faces of photos, None where none is known; photos without one are noted if others have one."""
        boxed = [path for path in paths if _box_file(path) in there]
        with console.progress("reading boxes", len(boxed)) as bar:
            boxes: dict[str, Box] = {}
            for path, box in zip(boxed, ordered(self._box, boxed, cores()), strict=True):
                bar.advance()
                if box:
                    boxes[path] = box
        self._poor[split] = [path for path in paths if path not in boxes] if boxed else []
        return [boxes.get(path) for path in paths]

    def _box(self, path: str) -> Box | None:
        """In pixels of the photo; None where either file is not like that, which some are not."""
        try:
            x, y, w, h = map(float, read_lines(self.root / _box_file(path))[0].split()[:4])
            height, width = read_shape(self.root / path)
        except (ValueError, DataError):
            return None
        across, down = width / UNIT, height / UNIT
        usable = all(map(isfinite, (x, y, w, h))) and w > 0 and h > 0
        return (x * across, y * down, w * across, h * down) if usable else None


def _listed(file: Path) -> dict[str, list[int]]:
    """`{photo: its 44 numbers}`.

    Raises:
        DataError: the list is not like that, or numbers contradict each other or the photo's folder.
    """
    try:
        found = json.loads("\n".join(read_lines(file)))
    except ValueError as error:
        raise DataError(f"{file}: not a JSON file: {error}") from None
    if not isinstance(found, dict):
        raise DataError(f"{file}: not a JSON object of photos and their labels")
    refuse(
        file,
        [f"{file}: {path}: {why}" for path, numbers in found.items() if (why := _problem(path, numbers))],
    )
    return found


def _problem(path: str, numbers: Any) -> str:
    """What is wrong with an entry of a list; nothing if it is sound."""
    if not isinstance(numbers, list) or [type(number) for number in numbers] != [int] * NUMBERS:
        return f"not {NUMBERS} whole numbers"
    parts = path.split("/")
    if len(parts) < 3 or ".." in parts or parts[-2] not in LABELS:
        return "not like Data/train/1/live/000184.jpg"
    if numbers[SPOOF] not in (0, 1):
        return f"label {numbers[SPOOF]!r}, and not 0 (live) or 1 (attack)"
    label = ATTACK if numbers[SPOOF] else LIVE
    if LABELS[parts[-2]] != label or (numbers[TYPE] == 0) is not (label == LIVE):
        return f"label {numbers[SPOOF]} and spoof type {numbers[TYPE]} in a folder {parts[-2]}/"
    return ""


def _names(root: Path, paths: Iterable[str]) -> set[str]:
    """Every file in the folders of the given ones: far faster than to look for each."""
    found: set[str] = set()
    for folder in dict.fromkeys(path.rpartition("/")[0] for path in paths):
        if (root / folder).is_dir():
            with os.scandir(root / folder) as entries:
                found.update(f"{folder}/{entry.name}" for entry in entries)
    return found


def _box_file(path: str) -> str:
    return f"{path.rpartition('.')[0]}_BB.txt"


def _species(number: int) -> str | None:
    """By the spoof type; None for one that the paper does not have."""
    return SPECIES[number] if 0 <= number < len(SPECIES) else None
