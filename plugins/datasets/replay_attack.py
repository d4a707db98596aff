"""Replay-Attack: webcam videos of 50 people, and of prints, phones and tablets shown to the same webcam.

Chingovska et al., "On the Effectiveness of Local Binary Patterns in Face Anti-spoofing" (BIOSIG 2012). The
folders separate live from attack: `{train,devel,test}/real/` and `{train,devel,test}/attack/{fixed,hand}/`.
Names are `client001_session01_webcam_authenticate_adverse_1` and
`attack_print_client001_session01_highdef_photo_adverse`. The frames of a video are in a folder of its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE
from fas_plugins.datasets.options import ReplayAttackOptions
from fas_plugins.datasets.videos import Video, VideoReader, list_video_names, parse_videos

SPLITS = {"train": "train", "dev": "devel", "test": "test"}
LIVE_NAME = re.compile(
    r"client(?P<client>\d+)_session\d+_webcam_authenticate_(?P<light>adverse|controlled)_\d+"
)
ATTACK_NAME = re.compile(
    r"attack_(?P<medium>[a-z]+)_client(?P<client>\d+)_session\d+_[a-z]+_(?P<content>photo|video)"
    r"_(?P<light>adverse|controlled)"
)
SPECIES = {"print": "print", "mobile": "replay_mobile", "highdef": "replay_highdef"}


@frozen
class ReplayAttack(VideoReader[ReplayAttackOptions]):
    """Reader of the frames, by the folders of the three splits."""

    def splits(self) -> tuple[str, ...]:
        """Return the splits that have a folder.

        Raises:
            DataError: no split has one.
        """
        if splits := tuple(split for split, name in SPLITS.items() if (self.root / name / "real").is_dir()):
            return splits
        raise DataError(f"{self.root}: no {SPLITS['train']}/real here, nor those of the other splits")

    def _list_videos(self, split: str) -> list[Video]:
        """Return the videos of a split, live ones first.

        Subject is the client, session the light (`adverse` or `controlled`), group the support of an attack
        (`fixed` or `hand`). The species of an undocumented medium is the medium's name.

        Raises:
            DataError: videos have other names; all of them are named.
        """
        folder = SPLITS[split]
        return parse_videos(self.root / folder, self._list_paths(folder), _parse_video)

    def _list_paths(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield (location, path) of the videos of the protocol and support, and of those with other names."""
        supports = ("fixed", "hand") if self.options.support == "all" else (self.options.support,)
        for sub_folder in ("real", *(f"attack/{support}" for support in supports)):
            parent = f"{folder}/{sub_folder}"
            for name in list_video_names(self.root / parent):
                attack = ATTACK_NAME.fullmatch(name)
                if attack is None or _is_in(self.options.protocol, attack["medium"], attack["content"]):
                    yield str(self.root / parent), f"{parent}/{name}"


def _is_in(protocol: str, medium: str, content: str) -> bool:
    """Return whether an attack with this medium and content belongs to a protocol."""
    if protocol == "digitalphoto":
        return content == "photo" and medium != "print"
    return protocol in ("grandtest", medium, content)


def _parse_video(location: str, path: str) -> Video:
    """Parse the path of a video.

    Raises:
        ValueError: it has another form.
    """
    _, label, *folders, name = path.split("/")
    if label == "real":
        if not (match := LIVE_NAME.fullmatch(name)):
            raise ValueError(f"{name!r} is not like client001_session01_webcam_authenticate_adverse_1")
        return Video(path, location, LIVE, "live", match["client"], session=match["light"])
    if not (match := ATTACK_NAME.fullmatch(name)):
        raise ValueError(f"{name!r} is not like attack_print_client001_session01_highdef_photo_adverse")
    species = SPECIES.get(match["medium"], match["medium"])
    return Video(path, location, ATTACK, species, match["client"], group=folders[0], session=match["light"])
