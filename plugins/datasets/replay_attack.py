"""Replay-Attack: webcam videos of 50 people, and of prints, phones and tablets shown to the same webcam.

Chingovska et al., "On the Effectiveness of Local Binary Patterns in Face Anti-spoofing" (BIOSIG 2012). The
folders tell live from attack: `{train,devel,test}/real/` and `{train,devel,test}/attack/{fixed,hand}/`. Names
are `client001_session01_webcam_authenticate_adverse_1` and
`attack_print_client001_session01_highdef_photo_adverse`. The frames of a video are in a folder of its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

from fas_core.data.text_lists import known_split
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.options import ReplayAttackOptions
from fas_plugins.datasets.videos import Video, faceless_notes, frame_table, gathered, videos_in

SPLITS = {"train": "train", "dev": "devel", "test": "test"}
REAL = re.compile(r"client(?P<client>\d+)_session\d+_webcam_authenticate_(?P<light>adverse|controlled)_\d+")
ATTACKS = re.compile(
    r"attack_(?P<medium>[a-z]+)_client(?P<client>\d+)_session\d+_[a-z]+_(?P<shown>photo|video)"
    r"_(?P<light>adverse|controlled)"
)
SPECIES = {"print": "print", "mobile": "replay_mobile", "highdef": "replay_highdef"}


@frozen
class ReplayAttack:
    """Reader of the frames, by the folders of the three splits."""

    options: ReplayAttackOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        return faceless_notes(self.root)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        """The splits that have a folder.

        Raises:
            DataError: none has.
        """
        found = tuple(split for split, folder in SPLITS.items() if (self.root / folder / "real").is_dir())
        if not found:
            raise DataError(f"{self.root}: no {SPLITS['train']}/real here, nor those of the other splits")
        return found

    def samples(self, split: str) -> SampleTable:
        """Frames of a split's videos, live ones first; `video` is the folder of the frames.

        Subject is the client, session the light (`adverse` or `controlled`), group how an attack was held
        (`fixed` or `hand`). Of a medium that the release does not have, species is the medium's name.

        Raises:
            DataError: videos are named otherwise, or have no frames; all of them are named.
        """
        folder = SPLITS[known_split(split, self.splits(), self.root)]
        return frame_table(gathered(self.root / folder, self._named(folder), _video), split, self.root)

    def _named(self, folder: str) -> Iterator[tuple[str, str]]:
        """(folder, path) of the videos of the protocol and support; and of those of unknown names."""
        supports = ("fixed", "hand") if self.options.support == "all" else (self.options.support,)
        for part in ("real", *(f"attack/{support}" for support in supports)):
            place = f"{folder}/{part}"
            for name in videos_in(self.root / place):
                attack = ATTACKS.fullmatch(name)
                if attack is None or _is_in(self.options.protocol, attack["medium"], attack["shown"]):
                    yield str(self.root / place), f"{place}/{name}"


def _is_in(protocol: str, medium: str, shown: str) -> bool:
    """Whether an attack belongs to a protocol, by what it is shown on and what that shows."""
    if protocol == "digitalphoto":
        return shown == "photo" and medium != "print"
    return protocol in ("grandtest", medium, shown)


def _video(place: str, path: str) -> Video:
    """What a video's path tells.

    Raises:
        ValueError: it is not like that.
    """
    parts = path.split("/")
    name = parts[-1]
    if parts[1] == "real":
        if not (match := REAL.fullmatch(name)):
            raise ValueError(f"{name!r} is not like client001_session01_webcam_authenticate_adverse_1")
        return Video(path, place, LIVE, "live", match["client"], session=match["light"])
    if not (match := ATTACKS.fullmatch(name)):
        raise ValueError(f"{name!r} is not like attack_print_client001_session01_highdef_photo_adverse")
    species = SPECIES.get(match["medium"], match["medium"])
    return Video(path, place, ATTACK, species, match["client"], group=parts[2], session=match["light"])
