"""Your own photos in folders: `live/...` and `attack/<species>/...`, below `train/`, `dev/`, `test/` or not.

A modality is a sub-folder (`live/rgb/x.jpg`, `live/depth/x.png`) or ends the name (`x_rgb.jpg`,
`x-depth.png`); an image without either is `rgb`. Images that differ in nothing else are one sample.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

from fas_core.data.modality_names import split_modality
from fas_core.data.text_lists import is_image, known_split, refuse
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.options import FolderOptions

SPLITS = {"train": "train", "dev": "dev", "val": "dev", "test": "test"}
LABELS = {"live": LIVE, "attack": ATTACK}


@frozen
class Folder:
    """Reader of such folders. Without split folders everything is `test`."""

    options: FolderOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)
    notes: tuple[str, ...] = field(default=(), init=False)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        return tuple(self._folders())

    def samples(self, split: str) -> SampleTable:
        """Samples of one split, in the order of their ids: the path less modality and suffix.

        Raises:
            DataError: a folder is empty or named otherwise, or two images would be one modality of one
                sample.
        """
        folder = self._folders()[known_split(split, self.splits(), self.root)]
        images, problems = self._images(folder)
        refuse(folder, problems)
        ids = sorted(images)
        modalities = [name for name in self.options.modalities if any(name in images[key] for key in ids)]
        parts = [key.removeprefix(_prefix(self.root, folder)).split("/") for key in ids]
        return SampleTable.of(
            {
                "id": ids,
                "split": [split] * len(ids),
                "label": [LABELS[part[0]] for part in parts],
                "species": [part[1] if part[0] == "attack" and len(part) > 2 else None for part in parts],
                **{name: [images[key].get(name) for key in ids] for name in modalities},
            },
            modalities=modalities,
            root=self.root,
        )

    def _folders(self) -> dict[str, Path]:
        """Where each split lies."""
        named = [name for name in SPLITS if (self.root / name).is_dir()]
        labelled = [name for name in LABELS if (self.root / name).is_dir()]
        if {"dev", "val"} <= set(named) or (named and labelled):
            raise DataError(
                f"{self.root}: holds {format_list([*named, *labelled])} side by side: keep one of them"
            )
        if not named and not labelled:
            raise DataError(f"{self.root}: holds neither live/ and attack/ nor train/, dev/ and test/")
        return {SPLITS[name]: self.root / name for name in named} or {"test": self.root}

    def _images(self, folder: Path) -> tuple[dict[str, dict[str, str]], list[str]]:
        """`{id: {modality: path}}` below one split's folder, and what is wrong with it."""
        images: dict[str, dict[str, str]] = {}
        problems: list[str] = []
        for label in sorted(path.name for path in folder.iterdir() if path.is_dir()):
            if label.startswith("."):
                continue
            if label not in LABELS:
                problems.append(f"{folder / label}: neither live/ nor attack/: rename or remove it")
                continue
            paths = [path.removeprefix(f"{folder / label}/") for path in _walk(folder / label)]
            for path in paths:
                modality, key = self._parse(path)
                sample = images.setdefault(f"{_prefix(self.root, folder)}{label}/{key}", {})
                relative = f"{_prefix(self.root, folder)}{label}/{path}"
                if modality in sample:
                    problems.append(f"{relative}: the sample has a {modality} image, {sample[modality]}")
                sample[modality] = relative
            if not paths:
                problems.append(f"{folder / label}: no images in this folder")
        if not images and not problems:
            problems.append(f"{folder}: neither live/ nor attack/ in this folder")
        return images, problems

    def _parse(self, path: str) -> tuple[str, str]:
        """The modality that a path names, and the path without it and without its suffix."""
        known = self.options.modalities
        modality, rest = split_modality(path, known)
        return modality or ("rgb" if "rgb" in known else known[0]), rest


def _prefix(root: Path, folder: Path) -> str:
    """What ids of a split begin with, so that they differ between splits."""
    return "" if folder == root else f"{folder.name}/"


def _walk(folder: Path) -> Iterator[str]:
    """Images below a folder, hidden files aside."""
    for place, _, names in os.walk(folder):
        for name in names:
            if is_image(name):
                yield f"{place}/{name}"
