"""OULU-NPU: videos of 55 people by the front cameras of six phones, in three sessions; prints and replays.

Boulkenafet et al., "OULU-NPU: A Mobile Face Presentation Attack Database with Real-World Variations"
(FG 2017). A video is named `phone_session_user_file`; file 1 is live, 2 and 3 are prints (of two printers),
4 and 5 replays (on two displays). A line of a list is `label,video`, where +1 is live, -1 and -2 attacks:
attacks are 0 here. The lists are below `Protocols/`, the frames of `Train_files/1_1_01_1.avi` in the folder
`Train_files/1_1_01_1/`.
"""

from __future__ import annotations

import re
from pathlib import Path

from attrs import field, frozen

from fas_core.data.text_lists import known_split, read_lines
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.options import OuluNpuOptions
from fas_plugins.datasets.videos import Video, faceless_notes, frame_table, gathered, videos_in

SPLITS = {"train": "Train", "dev": "Dev", "test": "Test"}
HOMES = ("Protocols", "OULU_Protocols", ".")
NAME = re.compile(r"(?P<phone>[1-6])_(?P<session>[1-3])_(?P<user>\d\d)_(?P<file>[1-5])")
SPECIES = {"1": "live", "2": "print", "3": "print", "4": "replay", "5": "replay"}
LABELS = {"+1": LIVE, "1": LIVE, "-1": ATTACK, "-2": ATTACK, "0": ATTACK}

Listed = tuple[str, tuple[str, str | None]]
"""Place of a video, its name and label, as they are written."""


@frozen
class OuluNpu:
    """Reader of the frames, by the lists of a protocol or, for `all`, by the folders of the three splits."""

    options: OuluNpuOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        return faceless_notes(self.root)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        """The splits that have a list, or a folder for the protocol `all`.

        Raises:
            DataError: none has.
        """
        if found := tuple(split for split in SPLITS if self._source(split).exists()):
            return found
        missing = self._source("train").relative_to(self.root)
        raise DataError(f"{self.root}: no {missing}: give the folder that holds it, or another `protocol`")

    def samples(self, split: str) -> SampleTable:
        """Frames of a split's videos, in the order of its list; `video` is the folder of the frames.

        Subject, session and device (the phone) are numbers, as the names of the videos have them.

        Raises:
            DataError: the list is empty, or lines are malformed, contradict the name of their video, or
                name a video without frames; all of them are named.
        """
        source = self._source(known_split(split, self.splits(), self.root))
        listed = _listed(source) if source.is_file() else _found(source)
        folder = f"{SPLITS[split]}_files"
        videos = gathered(source, listed, lambda place, item: _video(folder, place, *item))
        return frame_table(videos, split, self.root)

    def _source(self, split: str) -> Path:
        """The split's list; for the protocol `all`, its folder."""
        if self.options.protocol == "all":
            return self.root / f"{SPLITS[split]}_files"
        number, _, part = self.options.protocol.partition("@")
        name = f"{SPLITS[split]}_{part}.txt" if part else f"{SPLITS[split]}.txt"
        places = [self.root / home / f"Protocol_{number}" / name for home in HOMES]
        return next((place for place in places if place.is_file()), places[0])


def _listed(file: Path) -> list[Listed]:
    """What each line of a list says."""
    found: list[Listed] = []
    for number, line in enumerate(read_lines(file), 1):
        label, _, name = line.partition(",")
        if line:
            found.append((f"{file}:{number}", (name.strip(), label.strip())))
    return found


def _found(folder: Path) -> list[Listed]:
    """Every video of a folder; no list tells their labels."""
    return [(f"{folder}/{name}", (name, None)) for name in videos_in(folder)]


def _video(folder: str, place: str, name: str, label: str | None) -> Video:
    """What a name tells, and a list's label where there is one.

    Raises:
        ValueError: it is not like that, or the two contradict each other.
    """
    if label is not None and label not in LABELS:
        raise ValueError(f"label {label!r}, and not +1 (live), -1 or -2 (attack), in a line 'label,video'")
    if not (match := NAME.fullmatch(name)):
        raise ValueError(f"video {name!r} is not like 1_1_01_1")
    is_live = match["file"] == "1"
    if label is not None and (LABELS[label] == LIVE) is not is_live:
        raise ValueError(f"label {label} of {name}, whose last number says {SPECIES[match['file']]}")
    return Video(
        f"{folder}/{name}",
        place,
        LIVE if is_live else ATTACK,
        SPECIES[match["file"]],
        subject=match["user"],
        session=match["session"],
        device=match["phone"],
    )
