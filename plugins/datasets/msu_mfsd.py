"""MSU-MFSD: videos of 35 people by a laptop and a phone camera, and of prints, a tablet and a phone.

Wen et al., "Face Spoof Detection with Image Distortion Analysis" (IEEE TIFS 2015). The folders separate
live from attack: `scene01/real/real_client001_android_SD_scene01` and
`scene01/attack/attack_client007_laptop_SD_ipad_video_scene01`, with or without `scene01/`. The people of
each split are in `train_sub_list.txt` and `test_sub_list.txt`, one number per line. There is no dev split.
The frames of a video are in a folder of its name.
"""

from __future__ import annotations

import re
from functools import cached_property

from attrs import frozen

from fas_core.component import NoOptions
from fas_core.data.text_lists import read_lines, refuse
from fas_core.records.samples import ATTACK, LIVE
from fas_plugins.datasets.videos import Video, VideoReader, list_video_names, parse_videos

LISTS = {"train": "train_sub_list.txt", "test": "test_sub_list.txt"}
LABELS = {"real": LIVE, "attack": ATTACK}
NAME = re.compile(
    r"(?P<label>real|attack)_client(?P<client>\d{1,9})_(?P<camera>[a-z]+)_SD(?:_(?P<attack>\w+))?_(?P<scene>scene\d+)"
)
SPECIES = {"printed_photo": "print", "ipad_video": "replay_ipad", "iphone_video": "replay_iphone"}


@frozen
class MsuMfsd(VideoReader[NoOptions]):
    """Reader of the frames, by the lists of people."""

    def splits(self) -> tuple[str, ...]:
        return tuple(LISTS)

    def _list_videos(self, split: str) -> list[Video]:
        """Return the videos of a split's people, live ones first.

        Subject is the client, device the camera (`android` or `laptop`), session the scene. The species of
        an undocumented attack is its name.

        Raises:
            DataError: a list is missing or malformed, or videos have other names or show people in no list;
                all of them are named.
        """
        people = self._people[split]
        return [video for video in self._videos if video.subject in people]

    @cached_property
    def _people(self) -> dict[str, set[str]]:
        """Clients of each split, with three digits as in the names of videos."""
        people: dict[str, set[str]] = {split: set() for split in LISTS}
        problems: list[str] = []
        for split, name in LISTS.items():
            for number, line in enumerate(read_lines(self.root / name), 1):
                if re.fullmatch(r"[0-9]{1,9}", line):
                    people[split].add(f"{int(line):03}")
                elif line:
                    problems.append(f"{self.root / name}:{number}: {line!r} is not a client's number")
        repeated = sorted(people["train"] & people["test"])
        problems += [f"{self.root}: client {client} is in the lists of both splits" for client in repeated]
        refuse(self.root, problems)
        return people

    @cached_property
    def _videos(self) -> list[Video]:
        """The videos of both splits."""
        scene = "scene01/" if (self.root / "scene01").is_dir() else ""
        clients = set.union(*self._people.values())
        paths = [
            (str(self.root / scene / folder), f"{scene}{folder}/{name}")
            for folder in LABELS
            for name in list_video_names(self.root / scene / folder)
        ]
        return parse_videos(self.root, paths, lambda location, path: _parse_video(location, path, clients))


def _parse_video(location: str, path: str, clients: set[str]) -> Video:
    """Parse the path of a video.

    Raises:
        ValueError: it has another form, or its client is in no list.
    """
    *_, folder, name = path.split("/")
    match = NAME.fullmatch(name)
    if not match or match["label"] != folder or (folder == "attack") is (match["attack"] is None):
        examples = {"real": "real_client001_android_SD", "attack": "attack_client001_laptop_SD_ipad_video"}
        raise ValueError(f"{name!r} is not like {examples[folder]}_scene01")
    client = f"{int(match['client']):03}"
    if client not in clients:
        raise ValueError(f"{name}: client {client} is in neither {LISTS['train']} nor {LISTS['test']}")
    return Video(
        path,
        location,
        LABELS[folder],
        species=SPECIES.get(match["attack"], match["attack"]) if match["attack"] else "live",
        subject=client,
        session=match["scene"],
        device=match["camera"],
    )
