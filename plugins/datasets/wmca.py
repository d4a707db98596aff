"""WMCA: colour, depth, infrared and thermal videos of 72 people and of many kinds of attack.

George et al., "Biometric Face Presentation Attack Detection with Multi-Channel Convolutional Neural Network"
(IEEE TIFS 2019, arXiv 1909.08848). A video is named `client_session_presenter_type_pai`; type 0 is live. The
lists are `PROTOCOL-grandtest.csv`, `PROTOCOL-LOO_fakehead.csv`, ..., in the root or a folder of it; a line is
`face-station/12.02.18/100_03_015_2_10,attack,KIND,train`, where the middle columns may be missing. The
release is HDF5; what is read is its frames as images, in the folders `color/`, `depth/`, `infrared/` (or
`ir/`) and `thermal/` of `face-station/12.02.18/100_03_015_2_10/`, whichever there are.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from attrs import field, frozen

from fas_core.data.text_lists import known_split, read_lines, refuse
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.options import WmcaOptions
from fas_plugins.datasets.videos import Video, faceless_notes, frame_table, gathered

SPLITS = {"train": "train", "dev": "dev", "test": "eval"}
FOLDERS = {"rgb": ("color", "rgb"), "depth": ("depth",), "ir": ("infrared", "ir"), "thermal": ("thermal",)}
NAME = re.compile(r"(?P<client>\d+)_(?P<session>\d+)_(?P<presenter>\d+)_(?P<type>\d)_(?P<pai>\d+)")
WORDS = {
    **dict.fromkeys(("bonafide", "bona-fide", "bona_fide", "real", "live"), LIVE),
    **dict.fromkeys(("attack", "spoof"), ATTACK),
}
# The instruments' numbers, as bob.pad.face published them: per type, the first of each run of one species.
INSTRUMENTS: dict[str, dict[int, str | None]] = {
    "1": {1: "glasses", 2: "rigidmask", 3: "glasses", 8: "wig", 13: "rigidmask", 15: "glasses", 17: None},
    "2": {1: "fakehead", 8: "papermask", 12: "rigidmask", 18: "flexiblemask", 19: None, 75: "flexiblemask"},
    "3": {1: "print", 5: "replay", 6: "print", 10: "replay", 11: "print", 15: "replay", 16: None},
    "4": {1: "replay", 19: None},
    "5": {1: "makeup"},
}


@frozen
class Wmca:
    """Reader of the frames, by the list of a protocol."""

    options: WmcaOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        return faceless_notes(self.root)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        return tuple(SPLITS)

    def samples(self, split: str) -> SampleTable:
        """Frames of a split's videos, in the order of the list; `video` is the folder of the frames.

        Subject is the client, the identity that is shown. Species is the kind of instrument by its number;
        that of a number which nobody explains is the list's word for it, if it has one.

        Raises:
            DataError: the list is missing, or lines are malformed, contradict the name of their video, or
                name a video without frames; all of them are named.
        """
        wanted = SPLITS[known_split(split, self.splits(), self.root)]
        file = self._list()
        rows = _rows(file)
        refuse(
            file,
            [
                f"{place}: the last of {len(row)} columns is {row[-1]!r}, and not train, dev or eval"
                for place, row in rows
                if row[-1] not in SPLITS.values()
            ],
        )
        videos = gathered(file, [(place, row) for place, row in rows if row[-1] == wanted], _video)
        return frame_table(videos, split, self.root, FOLDERS)

    def _list(self) -> Path:
        name = f"PROTOCOL-{self.options.protocol}.csv"
        found = next((file for pattern in (name, f"*/{name}") for file in self.root.glob(pattern)), None)
        if found is None:
            raise DataError(f"{self.root}: no {name} here or one folder down")
        return found


def _rows(file: Path) -> list[tuple[str, list[str]]]:
    """(`list:line`, words) of each line but a header."""
    lines = [(number, line) for number, line in enumerate(read_lines(file), 1) if line]
    rows = [
        (f"{file}:{number}", [word.strip() for word in next(csv.reader([line]))]) for number, line in lines
    ]
    is_header = bool(rows) and not NAME.search(rows[0][1][0])
    return rows[is_header:]


def _video(place: str, row: list[str]) -> Video:
    """What a line tells, and the name in it.

    Raises:
        ValueError: it is not like that, or the label contradicts the name.
    """
    path = row[0].replace("\\", "/").strip("/").removesuffix(".hdf5")
    match = NAME.fullmatch(path.rpartition("/")[2])
    if not match or ".." in path.split("/"):
        raise ValueError(f"{row[0]!r} is not like face-station/12.02.18/100_03_015_2_10")
    label = LIVE if match["type"] == "0" else ATTACK
    if len(row) > 2 and WORDS.get(row[1].lower(), label) != label:
        raise ValueError(f"{row[1]} {match[0]}, whose type {match['type']} says otherwise")
    said = row[2].rpartition("/")[2] if len(row) > 3 else ""
    species = "live" if label == LIVE else instrument(match["type"], int(match["pai"])) or said or None
    return Video(path, place, label, species, subject=match["client"], session=match["session"])


def instrument(kind: str, number: int) -> str | None:
    """The species of an attack by its type and the number of its instrument; None where that is unknown.

    >>> instrument("2", 10)
    'papermask'
    """
    names = INSTRUMENTS.get(kind, {})
    first = max((start for start in names if start <= number), default=None)
    return None if first is None else names[first]
