"""LCC-FASD: photos of people and of screens that show them, collected from many sources.

Timoshenko et al., "Large Crowdcollected Facial Anti-Spoofing Dataset" (CSIT 2019). The folders
`LCC_FASD_training/`, `LCC_FASD_development/` and `LCC_FASD_evaluation/` have `real/` and `spoof/`, or images
named `real_1.png` and `spoof_1.png`. Names such as `FT720P_G780_REDMI4X_id0_s0_15.png` begin with the devices
and end with a session and a frame. What the number after `id` counts is not documented, and whether it means
one person throughout: no subject is claimed. Nor is it said what each attack was shown on.
"""

from __future__ import annotations

import re
from pathlib import Path

from attrs import field, frozen

from fas_core.data.text_lists import is_image, known_split, refuse
from fas_core.descriptors import NoOptions
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE, SampleTable

FOLDERS = {"train": "LCC_FASD_training", "dev": "LCC_FASD_development", "test": "LCC_FASD_evaluation"}
LABELS = {"real": LIVE, "spoof": ATTACK}
NAME = re.compile(r"(?P<video>(?P<device>.+)_id\d+_s(?P<session>\d+))_(?P<frame>\d{1,9})")


@frozen
class LccFasd:
    """Reader of the folders."""

    options: NoOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)
    notes: tuple[str, ...] = field(default=(), init=False)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        """The splits that have a folder.

        Raises:
            DataError: none has.
        """
        if found := tuple(split for split, folder in FOLDERS.items() if (self.root / folder).is_dir()):
            return found
        raise DataError(f"{self.root}: no {FOLDERS['train']} here, nor the folders of the other splits")

    def samples(self, split: str) -> SampleTable:
        """Images of a split, by path; `id` is the path. Video, session, device and frame are what names tell.

        Raises:
            DataError: there are no images, or some whose label neither folder nor name tells.
        """
        folder = self.root / FOLDERS[known_split(split, self.splits(), self.root)]
        paths = sorted(
            path.relative_to(self.root).as_posix() for path in folder.rglob("*") if is_image(path.name)
        )
        labels = [_label(path) for path in paths]
        refuse(
            folder,
            [
                f"{self.root / path}: neither in real/ or spoof/ nor named real... or spoof..."
                for path, label in zip(paths, labels, strict=True)
                if label is None
            ],
        )
        if not paths:
            raise DataError(f"{folder}: no images in this folder")
        told = [NAME.fullmatch(path.rpartition("/")[2].rpartition(".")[0]) for path in paths]
        return SampleTable.of(
            {
                "id": paths,
                "split": [split] * len(paths),
                "rgb": paths,
                "label": labels,
                "session": [match and match["session"] for match in told],
                "device": [match and match["device"] for match in told],
                "video": [
                    match and f"{path.rpartition('/')[0]}/{match['video']}"
                    for match, path in zip(told, paths, strict=True)
                ],
                "frame": [match and int(match["frame"]) for match in told],
            },
            modalities=("rgb",),
            root=self.root,
        )


def _label(path: str) -> int | None:
    """By the folder that an image is in, else by how its name begins; None if neither tells."""
    _, *folders, name = path.split("/")
    words = [*reversed(folders), *(word for word in LABELS if name.lower().startswith(word))]
    return next((LABELS[word] for word in words if word in LABELS), None)
