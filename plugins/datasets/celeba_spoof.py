"""CelebA-Spoof: photos of celebrities, and of prints, screens and masks that show them.

Zhang et al., "CelebA-Spoof: Large-Scale Face Anti-Spoofing Dataset with Rich Annotations" (ECCV 2020, arXiv
2007.12342). Lists such as `metas/intra_test/train_label.json` hold 44 numbers for each photo
(`Data/train/1/live/000184.jpg`): the 40 attributes of CelebA, spoof type, illumination, environment, and a
label that is 1 for an attack and 0 for live; it is inverted here, so that 1 = live everywhere.
`000184_BB.txt` beside a photo holds the face box as `x y w h score`, in units of 1/224 of the photo's width
and height.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from math import isfinite
from pathlib import Path
from typing import Any

from attrs import field, frozen

from fas_core.console import console
from fas_core.data.image_size import read_shape
from fas_core.data.images import box_overlaps
from fas_core.data.parallel import cores, ordered
from fas_core.data.text_lists import NO_FACE, read_lines, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_core.text_files import MAX_TABLE, read_json
from fas_plugins.datasets.base import Reader
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
# Length of an entry's list of numbers, and the positions of those that are used.
NUMBER_COUNT, SPOOF_TYPE, ENVIRONMENT, IS_SPOOF = 44, 40, 42, 43
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
BOX_UNITS = 224
Box = tuple[float, float, float, float]


@frozen
class CelebaSpoof(Reader[CelebaSpoofOptions]):
    """Reader of the lists and of the face boxes beside the photos, where they exist."""

    _missing_boxes: dict[str, list[str]] = field(factory=dict, init=False, repr=False, eq=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """Photos without a usable box in the splits read so far, if other photos of the split have one."""
        return tuple(
            f"{len(paths)} {split} photos have no usable box and are used uncropped: {format_list(paths)}"
            for split, paths in self._missing_boxes.items()
            if paths
        )

    def splits(self) -> tuple[str, ...]:
        """Return the splits that have a list.

        Raises:
            DataError: no split has one.
        """
        folder = self.root / FOLDERS[self.options.protocol]
        if splits := tuple(split for split, name in LISTS.items() if (folder / name).is_file()):
            return splits
        raise DataError(f"{folder}: no {LISTS['train']} here: choose another root or `protocol`")

    def _read(self, split: str) -> SampleTable:
        """Read the photos of a split in the order of its list; `id` is the path as written there.

        Subject is the person's folder, session the environment of attacks (`indoor` or `outdoor`).

        Raises:
            DataError: the list is malformed, its labels contradict spoof types or folders, or photos are
                missing; all of them are named.
        """
        file = self.root / FOLDERS[self.options.protocol] / LISTS[split]
        photos = _read_list(file)
        files = _list_files(self.root, photos)
        no_face = set(read_lines(self.root / NO_FACE)) if (self.root / NO_FACE).is_file() else set()
        missing = [path for path in photos if path not in files]
        refuse(file, [f"{file}: {path}: no such photo" for path in missing if path not in no_face])
        paths = [path for path in photos if path in files]
        if not paths:
            raise DataError(f"{file}: names no photos")
        return SampleTable.of(
            {
                "id": paths,
                "split": [split] * len(paths),
                "rgb": paths,
                "label": [ATTACK if photos[path][IS_SPOOF] else LIVE for path in paths],
                "species": [_get_species(photos[path][SPOOF_TYPE]) for path in paths],
                "subject": [path.split("/")[-3] for path in paths],
                "session": [ENVIRONMENTS.get(photos[path][ENVIRONMENT]) for path in paths],
                "box": self._read_boxes(split, paths, files) if self.options.boxes else None,
            },
            modalities=("rgb",),
            root=self.root,
        )

    def _read_boxes(self, split: str, paths: list[str], files: set[str]) -> list[Box | None]:
        """Read the face box of each photo, None where it is unknown, and remember those for `notes`."""
        with_file = [path for path in paths if _box_path(path) in files]
        boxes: dict[str, Box] = {}
        with console.progress("reading boxes", len(with_file), "photos") as bar:
            for path, box in zip(with_file, ordered(self._read_box, with_file, cores()), strict=True):
                bar.advance()
                if box:
                    boxes[path] = box
        self._missing_boxes[split] = [path for path in paths if path not in boxes] if with_file else []
        return [boxes.get(path) for path in paths]

    def _read_box(self, path: str) -> Box | None:
        """Read one box in pixels of the photo; None if a file is malformed or the box lies outside."""
        try:
            x, y, w, h = map(float, read_lines(self.root / _box_path(path))[0].split()[:4])
            height, width = read_shape(self.root / path)
        except (ValueError, DataError):
            return None
        scale_x, scale_y = width / BOX_UNITS, height / BOX_UNITS
        box = (x * scale_x, y * scale_y, w * scale_x, h * scale_y)
        usable = all(map(isfinite, box)) and w > 0 and h > 0 and box_overlaps(box, (height, width))
        return box if usable else None


def _read_list(file: Path) -> dict[str, list[int]]:
    """Read `{photo: its 44 numbers}`.

    Raises:
        DataError: the list is malformed, or numbers contradict each other or the photo's folder.
    """
    entries = read_json(file, limit=MAX_TABLE)
    if not isinstance(entries, dict):
        raise DataError(f"{file}: not a JSON object of photos and their labels")
    entries = {path.replace("\\", "/"): numbers for path, numbers in entries.items()}
    problems = [(path, _check_entry(path, numbers)) for path, numbers in entries.items()]
    refuse(file, [f"{file}: {path}: {problem}" for path, problem in problems if problem])
    return entries


def _check_entry(path: str, numbers: Any) -> str:
    """Return what is wrong with an entry of a list, or an empty string."""
    if not isinstance(numbers, list) or [type(number) for number in numbers] != [int] * NUMBER_COUNT:
        return f"not {NUMBER_COUNT} whole numbers"
    folders = path.split("/")[:-1]
    if len(folders) < 2 or ".." in path.split("/") or folders[-1] not in LABELS:
        return "not like Data/train/1/live/000184.jpg"
    if numbers[IS_SPOOF] not in (0, 1):
        return f"label is {numbers[IS_SPOOF]!r}, expected 0 (live) or 1 (attack)"
    label = ATTACK if numbers[IS_SPOOF] else LIVE
    if LABELS[folders[-1]] != label or (numbers[SPOOF_TYPE] == 0) is not (label == LIVE):
        return f"label {numbers[IS_SPOOF]} and spoof type {numbers[SPOOF_TYPE]} in a folder {folders[-1]}/"
    return ""


def _list_files(root: Path, paths: Iterable[str]) -> set[str]:
    """Return all files in the folders of `paths`. Much faster than a look-up of each path."""
    files: set[str] = set()
    for folder in dict.fromkeys(path.rpartition("/")[0] for path in paths):
        if (root / folder).is_dir():
            with os.scandir(root / folder) as entries:
                files.update(f"{folder}/{entry.name}" for entry in entries)
    return files


def _box_path(path: str) -> str:
    return f"{path.rpartition('.')[0]}_BB.txt"


def _get_species(spoof_type: int) -> str | None:
    """Return the species of a spoof type; None for types that the paper does not list."""
    return SPECIES[spoof_type] if 0 <= spoof_type < len(SPECIES) else None
