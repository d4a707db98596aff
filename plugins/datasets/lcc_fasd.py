"""LCC-FASD: photos of people and of screens that show them, collected from many sources.

Timoshenko et al., "Large Crowdcollected Facial Anti-Spoofing Dataset" (CSIT 2019). The folders
`LCC_FASD_training/`, `LCC_FASD_development/` and `LCC_FASD_evaluation/` have `real/` and `spoof/`, or
images named `real_1.png` and `spoof_1.png`. Names such as `FT720P_G780_REDMI4X_id0_s0_15.png` start with
the devices and end with a session and a frame. It is not documented whether the number after `id` is the
same person in all images, nor which medium an attack uses, so subject and species are unknown.
"""

from __future__ import annotations

import re
from functools import cached_property

from attrs import frozen

from fas_core.component import NoOptions
from fas_core.data.listing import Listing, describe_left_out, list_files
from fas_core.data.text_lists import refuse
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.base import Reader

FOLDERS = {"train": "LCC_FASD_training", "dev": "LCC_FASD_development", "test": "LCC_FASD_evaluation"}
LABELS = {"real": LIVE, "spoof": ATTACK}
NAME = re.compile(r"(?P<video>(?P<device>.+)_id\d+_s(?P<session>\d+))_(?P<frame>\d{1,9})")


@frozen
class LccFasd(Reader[NoOptions]):
    """Reader of the folders."""

    @cached_property
    def listing(self) -> Listing:
        """All files below the root."""
        return list_files(self.root)

    @property
    def notes(self) -> tuple[str, ...]:
        """The number of files that are left out."""
        left_out = describe_left_out((*self.listing.videos, *self.listing.left_out))
        return (left_out,) if left_out else ()

    def splits(self) -> tuple[str, ...]:
        """Return the splits that have a folder.

        Raises:
            DataError: no split has one.
        """
        if splits := tuple(split for split, folder in FOLDERS.items() if (self.root / folder).is_dir()):
            return splits
        raise DataError(f"{self.root}: no {FOLDERS['train']} here, nor the folders of the other splits")

    def _read(self, split: str) -> SampleTable:
        """Read the images of a split, sorted by path; `id` is the path.

        Video, session, device and frame are parsed from the names.

        Raises:
            DataError: there are no images, or neither folder nor name of an image gives its label.
        """
        folder = self.root / FOLDERS[split]
        paths = sorted(path for path in self.listing.images if path.startswith(f"{FOLDERS[split]}/"))
        labels = [_parse_label(path) for path in paths]
        unlabelled = [path for path, label in zip(paths, labels, strict=True) if label is None]
        expected = "neither in real/ or spoof/ nor named real... or spoof..."
        refuse(folder, [f"{self.root / path}: {expected}" for path in unlabelled])
        if not paths:
            raise DataError(f"{folder}: no images in this folder")
        names = [NAME.fullmatch(path.rpartition("/")[2].rpartition(".")[0]) for path in paths]
        return SampleTable.of(
            {
                "id": paths,
                "split": [split] * len(paths),
                "rgb": paths,
                "label": labels,
                "session": [name and name["session"] for name in names],
                "device": [name and name["device"] for name in names],
                "video": [
                    name and f"{path.rpartition('/')[0]}/{name['video']}"
                    for name, path in zip(names, paths, strict=True)
                ],
                "frame": [name and int(name["frame"]) for name in names],
            },
            modalities=("rgb",),
            root=self.root,
        )


def _parse_label(path: str) -> int | None:
    """Return the label by the innermost folder that gives one, else by the start of the name, else None."""
    _, *folders, name = path.split("/")
    words = [*reversed(folders), *(word for word in LABELS if name.lower().startswith(word))]
    return next((LABELS[word] for word in words if word in LABELS), None)
