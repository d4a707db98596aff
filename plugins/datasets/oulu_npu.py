"""OULU-NPU: videos of 55 people by the front cameras of six phones, in three sessions; prints and replays.

Boulkenafet et al., "OULU-NPU: A Mobile Face Presentation Attack Database with Real-World Variations" (FG
2017). A video is named `phone_session_user_file`; file 1 is live, 2 and 3 are prints (by two printers), 4
and 5 replays (on two displays). A line of a list is `label,video` with label +1 for live, -1 or -2 for
attacks (0 here). The lists are below `Protocols/`; the frames of `Train_files/1_1_01_1.avi` are in the
folder `Train_files/1_1_01_1/`.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from fas_core.data.text_lists import read_lines
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.files.published import OULU_SPECIES, OULU_VIDEO
from fas_plugins.datasets.options import OuluNpuOptions
from fas_plugins.datasets.videos import Video, VideoReader, list_video_names, parse_videos

SPLITS = {"train": "Train", "dev": "Dev", "test": "Test"}
LIST_FOLDERS = ("Protocols", "OULU_Protocols", ".")
LABELS = {"+1": LIVE, "1": LIVE, "-1": ATTACK, "-2": ATTACK, "0": ATTACK}

Entry = tuple[str, tuple[str, str | None]]
"""Location of a video in a list or folder, and its name and label as written there."""


@frozen
class OuluNpu(VideoReader[OuluNpuOptions]):
    """Reader of the frames, by the lists of a protocol or, for `all`, by the folders of the three splits."""

    def splits(self) -> tuple[str, ...]:
        """Return the splits that have a list, or a folder for the protocol `all`.

        Raises:
            DataError: no split has one.
        """
        if splits := tuple(split for split in SPLITS if self._source(split).exists()):
            return splits
        missing = self._source("train").relative_to(self.root)
        raise DataError(f"{self.root}: no {missing}: give the folder that holds it, or another `protocol`")

    def _list_videos(self, split: str) -> list[Video]:
        """Return the videos of a split, in the order of its list.

        Subject, session and device (the phone) are numbers, as in the names of the videos.

        Raises:
            DataError: the list is empty, or lines are malformed or contradict the name of their video; all
                of them are named.
        """
        source = self._source(split)
        entries = _read_list(source) if source.is_file() else _list_folder(source)
        folder = f"{SPLITS[split]}_files"
        return parse_videos(source, entries, lambda location, entry: _parse_video(folder, location, *entry))

    def _source(self, split: str) -> Path:
        """Return the split's list, or its folder for the protocol `all`."""
        if self.options.protocol == "all":
            return self.root / f"{SPLITS[split]}_files"
        number, _, sub_protocol = self.options.protocol.partition("@")
        name = f"{SPLITS[split]}_{sub_protocol}.txt" if sub_protocol else f"{SPLITS[split]}.txt"
        paths = [self.root / folder / f"Protocol_{number}" / name for folder in LIST_FOLDERS]
        return next((path for path in paths if path.is_file()), paths[0])


def _read_list(file: Path) -> list[Entry]:
    """Read the entries of a list."""
    entries: list[Entry] = []
    for number, line in enumerate(read_lines(file), 1):
        label, _, name = line.partition(",")
        if line:
            entries.append((f"{file}:{number}", (name.strip(), label.strip())))
    return entries


def _list_folder(folder: Path) -> list[Entry]:
    """Return an entry without label for every video of a folder."""
    return [(f"{folder}/{name}", (name, None)) for name in list_video_names(folder)]


def _parse_video(folder: str, location: str, name: str, label: str | None) -> Video:
    """Parse the name of a video, and check the list's label where there is one.

    Raises:
        ValueError: name or label are malformed, or contradict each other.
    """
    if label is not None and label not in LABELS:
        raise ValueError(f"label is {label!r}, expected +1 (live), -1 or -2 (attack) in 'label,video'")
    if not (match := OULU_VIDEO.fullmatch(name)):
        raise ValueError(f"video {name!r} is not like 1_1_01_1")
    is_live = match["file"] == "1"
    if label is not None and (LABELS[label] == LIVE) is not is_live:
        raise ValueError(f"label {label} of {name}, whose last number says {OULU_SPECIES[match['file']]}")
    return Video(
        f"{folder}/{name}",
        location,
        LIVE if is_live else ATTACK,
        OULU_SPECIES[match["file"]],
        subject=match["user"],
        session=match["session"],
        device=match["phone"],
    )
