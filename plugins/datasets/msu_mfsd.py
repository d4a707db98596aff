"""MSU-MFSD: videos of 35 people by a laptop's and a phone's camera, and of prints, a tablet and a phone.

Wen et al., "Face Spoof Detection with Image Distortion Analysis" (IEEE TIFS 2015). The folders tell live from
attack: `scene01/real/real_client001_android_SD_scene01` and
`scene01/attack/attack_client007_laptop_SD_ipad_video_scene01`, with or without `scene01/`. The people of each
split are in `train_sub_list.txt` and `test_sub_list.txt`, a number a line. There is no dev. The frames of a
video are in a folder of its name.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from attrs import field, frozen

from fas_core.data.text_lists import known_split, read_lines, refuse
from fas_core.descriptors import NoOptions
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_plugins.datasets.videos import Video, faceless_notes, frame_table, gathered, videos_in

LISTS = {"train": "train_sub_list.txt", "test": "test_sub_list.txt"}
LABELS = {"real": LIVE, "attack": ATTACK}
NAME = re.compile(
    r"(?P<label>real|attack)_client(?P<client>\d+)_(?P<camera>[a-z]+)_SD(?:_(?P<attack>\w+))?_(?P<scene>scene\d+)"
)
SPECIES = {"printed_photo": "print", "ipad_video": "replay_ipad", "iphone_video": "replay_iphone"}


@frozen
class MsuMfsd:
    """Reader of the frames, by the lists of people."""

    options: NoOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        return faceless_notes(self.root)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        return tuple(LISTS)

    def samples(self, split: str) -> SampleTable:
        """Frames of the videos of a split's people, live ones first; `video` is the folder of the frames.

        Subject is the client, device the camera (`android` or `laptop`), session the scene. Of an attack
        that the release does not have, species is its name.

        Raises:
            DataError: a list is missing or malformed; videos are named otherwise, are of people in no list
                or have no frames. All of them are named.
        """
        people = self._people[known_split(split, self.splits(), self.root)]
        return frame_table([video for video in self._videos if video.subject in people], split, self.root)

    @cached_property
    def _people(self) -> dict[str, set[str]]:
        """Clients of each split, with three digits as the names of videos have them."""
        people: dict[str, set[str]] = {split: set() for split in LISTS}
        problems: list[str] = []
        for split, name in LISTS.items():
            for number, line in enumerate(read_lines(self.root / name), 1):
                if line.isdecimal():
                    people[split].add(f"{int(line):03}")
                elif line:
                    problems.append(f"{self.root / name}:{number}: {line!r}, and not a client's number")
        both = sorted(people["train"] & people["test"])
        problems += [f"{self.root}: client {client} is in the lists of both splits" for client in both]
        refuse(self.root, problems)
        return people

    @cached_property
    def _videos(self) -> list[Video]:
        """Every video, of both splits."""
        home = "scene01/" if (self.root / "scene01").is_dir() else ""
        listed = set.union(*self._people.values())
        paths = [
            (str(self.root / home / folder), f"{home}{folder}/{name}")
            for folder in LABELS
            for name in videos_in(self.root / home / folder)
        ]
        return gathered(self.root, paths, lambda place, path: _video(place, path, listed))


def _video(place: str, path: str, listed: set[str]) -> Video:
    """What a video's path tells.

    Raises:
        ValueError: it is not like that, or of a person in no list.
    """
    *_, folder, name = path.split("/")
    match = NAME.fullmatch(name)
    if not match or match["label"] != folder or (folder == "attack") is (match["attack"] is None):
        like = {"real": "real_client001_android_SD", "attack": "attack_client001_laptop_SD_ipad_video"}
        raise ValueError(f"{name!r} is not like {like[folder]}_scene01")
    client = f"{int(match['client']):03}"
    if client not in listed:
        raise ValueError(f"{name}: client {client} is in neither {LISTS['train']} nor {LISTS['test']}")
    species = SPECIES.get(match["attack"], match["attack"]) if match["attack"] else "live"
    return Video(
        path,
        place,
        LABELS[folder],
        species,
        subject=client,
        session=match["scene"],
        device=match["camera"],
    )
