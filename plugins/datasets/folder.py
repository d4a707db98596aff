"""Your own photos in folders: `live/...` and `attack/<species>/...`, with or without split folders.

Split folders are `train/`, `dev/` (or `val/`) and `test/`. A modality is a sub-folder (`live/rgb/x.jpg`,
`live/depth/x.png`) or the end of the name (`x_rgb.jpg`, `x-depth.png`); an image without either is `rgb`.
Images whose paths differ only in the modality are one sample.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from fas_core.data.text_lists import is_image, refuse, split_modality
from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.options import FolderOptions

SPLITS = {"train": "train", "dev": "dev", "val": "dev", "test": "test"}
LABELS = {"live": LIVE, "attack": ATTACK}


@frozen
class Folder(Reader[FolderOptions]):
    """Reader of such folders. Without split folders everything is `test`."""

    def splits(self) -> tuple[str, ...]:
        return tuple(self._folders())

    def _read(self, split: str) -> SampleTable:
        """Read the samples of one split, sorted by id: the path less modality and suffix.

        Raises:
            DataError: a folder is empty or has another name, or a sample has two images of a modality.
        """
        folder = self._folders()[split]
        images, problems = self._list_samples(folder)
        refuse(folder, problems)
        ids = sorted(images)
        modalities = [name for name in self.options.modalities if any(name in images[key] for key in ids)]
        # The label's folder, then for attacks the species' folder.
        paths = [key.removeprefix(self._id_prefix(folder)).split("/") for key in ids]
        return SampleTable.of(
            {
                "id": ids,
                "split": [split] * len(ids),
                "label": [LABELS[path[0]] for path in paths],
                "species": [path[1] if path[0] == "attack" and len(path) > 2 else None for path in paths],
                **{name: [images[key].get(name) for key in ids] for name in modalities},
            },
            modalities=modalities,
            root=self.root,
        )

    def _folders(self) -> dict[str, Path]:
        """Return the folder of each split."""
        splits = [name for name in SPLITS if (self.root / name).is_dir()]
        labels = [name for name in LABELS if (self.root / name).is_dir()]
        if {"dev", "val"} <= set(splits) or (splits and labels):
            raise DataError(
                f"{self.root}: holds {format_list([*splits, *labels])} side by side: keep one of them"
            )
        if not splits and not labels:
            raise DataError(f"{self.root}: holds neither live/ and attack/ nor train/, dev/ and test/")
        return {SPLITS[name]: self.root / name for name in splits} or {"test": self.root}

    def _list_samples(self, folder: Path) -> tuple[dict[str, dict[str, str]], list[str]]:
        """Return `{id: {modality: path}}` of one split's folder, and its problems."""
        samples: dict[str, dict[str, str]] = {}
        problems: list[str] = []
        for label in sorted(path.name for path in folder.iterdir() if path.is_dir()):
            if label.startswith("."):
                continue
            if label not in LABELS:
                problems.append(f"{folder / label}: neither live/ nor attack/: rename or remove it")
                continue
            paths = [path.removeprefix(f"{folder / label}/") for path in _walk_images(folder / label)]
            prefix = f"{self._id_prefix(folder)}{label}"
            for path in paths:
                modality, name = self._parse_path(path)
                images = samples.setdefault(f"{prefix}/{name}", {})
                if modality in images:
                    problems.append(f"{prefix}/{path}: the sample has a {modality} image, {images[modality]}")
                images[modality] = f"{prefix}/{path}"
            if not paths:
                problems.append(f"{folder / label}: no images in this folder")
        if not samples and not problems:
            problems.append(f"{folder}: neither live/ nor attack/ in this folder")
        return samples, problems

    def _parse_path(self, path: str) -> tuple[str, str]:
        """Return the modality that a path names, and the path without modality and suffix."""
        known = self.options.modalities
        modality, name = split_modality(path, known)
        return modality or ("rgb" if "rgb" in known else known[0]), name

    def _id_prefix(self, folder: Path) -> str:
        """Return the start of a split's ids, so that ids differ between splits."""
        return "" if folder == self.root else f"{folder.name}/"


def _walk_images(folder: Path) -> Iterator[str]:
    """Yield the paths of all images below a folder, except hidden files."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if is_image(name):
                yield f"{parent}/{name}"
