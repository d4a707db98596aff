"""WMCA: colour, depth, infrared and thermal videos of 72 people and of many kinds of attack.

George et al., "Biometric Face Presentation Attack Detection with Multi-Channel Convolutional Neural
Network" (IEEE TIFS 2019, arXiv 1909.08848). A video is named `client_session_presenter_type_pai`; type 0 is
live. The lists are `PROTOCOL-grandtest.csv`, `PROTOCOL-LOO_fakehead.csv`, ..., in the root or a folder of
it; a line is `face-station/12.02.18/100_03_015_2_10,attack,KIND,train`, where the middle columns may be
missing. The release is HDF5; this reads its frames as images, in those folders that exist of `color/`,
`depth/`, `infrared/` (or `ir/`) and `thermal/` in `face-station/12.02.18/100_03_015_2_10/`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from attrs import frozen

from fas_core.data.text_lists import read_lines, refuse
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.label_words import parse_class
from fas_plugins.datasets.options import WmcaOptions
from fas_plugins.datasets.videos import Video, VideoReader, parse_videos

SPLITS = {"train": "train", "dev": "dev", "test": "eval"}
NAME = re.compile(
    r"(?P<client>\d{1,9})_(?P<session>\d{1,9})_(?P<presenter>\d{1,9})_(?P<type>\d)_(?P<pai>\d{1,9})"
)
# Numbers of the attack instruments as published by bob.pad.face: {type: {first number of a run: species}}.
INSTRUMENTS: dict[str, dict[int, str | None]] = {
    "1": {1: "glasses", 2: "rigidmask", 3: "glasses", 8: "wig", 13: "rigidmask", 15: "glasses", 17: None},
    "2": {1: "fakehead", 8: "papermask", 12: "rigidmask", 18: "flexiblemask", 19: None, 75: "flexiblemask"},
    "3": {1: "print", 5: "replay", 6: "print", 10: "replay", 11: "print", 15: "replay", 16: None},
    "4": {1: "replay", 19: None},
    "5": {1: "makeup"},
}
Row = tuple[str, list[str]]
"""Location of a line (`list:line`) and its words."""


@frozen
class Wmca(VideoReader[WmcaOptions]):
    """Reader of the frames, by the list of a protocol."""

    modality_folders: ClassVar[Mapping[str, Sequence[str]]] = {
        "rgb": ("color", "rgb"),
        "depth": ("depth",),
        "ir": ("infrared", "ir"),
        "thermal": ("thermal",),
    }

    def splits(self) -> tuple[str, ...]:
        return tuple(SPLITS)

    def _list_videos(self, split: str) -> list[Video]:
        """Return the videos of a split, in the order of the list.

        Subject is the client, whose identity the video shows. Species is the kind of instrument by its
        number or, for undocumented numbers, the list's word for it.

        Raises:
            DataError: the list is missing, or lines are malformed or contradict the name of their video; all
                of them are named.
        """
        file = self._find_list()
        rows = _read_list(file)
        problems = [
            f"{location}: the last of {len(row)} columns is {row[-1]!r}, expected train, dev or eval"
            for location, row in rows
            if row[-1] not in SPLITS.values()
        ]
        refuse(file, problems)
        selected = [(location, row) for location, row in rows if row[-1] == SPLITS[split]]
        return parse_videos(file, selected, _parse_video)

    def _find_list(self) -> Path:
        name = f"PROTOCOL-{self.options.protocol}.csv"
        for pattern in (name, f"*/{name}"):
            for file in self.root.glob(pattern):
                return file
        raise DataError(f"{self.root}: no {name} here or one folder down")


def _read_list(file: Path) -> list[Row]:
    """Read the rows of a list without its header, if it has one."""
    rows = [
        (f"{file}:{number}", [word.strip() for word in next(csv.reader([line]))])
        for number, line in enumerate(read_lines(file), 1)
        if line
    ]
    has_header = bool(rows) and not NAME.search(rows[0][1][0])
    return rows[has_header:]


def _parse_video(location: str, row: list[str]) -> Video:
    """Parse a row of a list, and the video's name in it.

    Raises:
        ValueError: the row is malformed, or its label contradicts the name.
    """
    path = row[0].replace("\\", "/").strip("/").removesuffix(".hdf5")
    match = NAME.fullmatch(path.rpartition("/")[2])
    if not match or ".." in path.split("/"):
        raise ValueError(f"{row[0]!r} is not like face-station/12.02.18/100_03_015_2_10")
    label = LIVE if match["type"] == "0" else ATTACK
    if len(row) > 2 and parse_class(row[1]) not in (label, None):
        raise ValueError(f"{row[1]} {match[0]}, whose type {match['type']} says otherwise")
    kind = row[2].rpartition("/")[2] if len(row) > 3 else ""
    species = "live" if label == LIVE else get_instrument(match["type"], int(match["pai"])) or kind or None
    return Video(path, location, label, species, subject=match["client"], session=match["session"])


def get_instrument(attack_type: str, number: int) -> str | None:
    """Return the species of an attack by its type and instrument number; None for undocumented ones.

    >>> get_instrument("2", 10)
    'papermask'
    """
    names = INSTRUMENTS.get(attack_type, {})
    first = max((start for start in names if start <= number), default=None)
    return None if first is None else names[first]
