"""CASIA-SURF CeFA: colour, depth and infrared videos of people of three ethnicities, as images.

Liu et al., "CASIA-SURF CeFA: A Benchmark for Multi-modal Cross-ethnicity Face Anti-spoofing" (WACV 2021,
arXiv 2003.05136). Two releases are supported: the challenge of CVPR 2020 (`phase1/4@1_train.txt`, ...),
whose lists use 1 for live; and the full release (`protocol/CASIA_CeFA@p4.1_image_train.txt`, ...), whose
lists use 0 for live and are inverted here, so that 1 = live everywhere. A line names an image or a video,
which stands for all its images in order. Test lists may have no labels.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from attrs import frozen

from fas_core.errors import DataError, format_list
from fas_core.records.samples import SampleTable
from fas_plugins.datasets.base import Reader
from fas_plugins.datasets.cefa_lists import (
    CHALLENGE,
    FULL,
    SPLITS,
    Release,
    merge_lists,
    parse_frame_number,
    read_list,
)
from fas_plugins.datasets.options import CefaOptions

MODALITIES = ("rgb", "depth", "ir")

RACES = {"1": "AF", "2": "CA", "3": "EA"}
DEVICES = {"1": "rssdk", "2": "mp4", "3": "bag", "4": "MOV"}
SESSIONS = {"1": "indoor", "2": "outdoor", "3": "random"}
SPECIES = {"1": "live", "2": "print_cloth", "3": "print", "4": "replay"}
MASKS = {"1": "mask_3d", "2": "mask_silicone"}
METADATA = ("subject", "group", "device", "session", "species")


@frozen
class Cefa(Reader[CefaOptions]):
    """Reader of either release below `root`."""

    def splits(self) -> tuple[str, ...]:
        """Return the splits with a list of any selected sub-protocol.

        Raises:
            DataError: there are no lists of CeFA, or lists of both releases.
        """
        return tuple(split for split in SPLITS if any(self._lists(split).values()))

    def _read(self, split: str) -> SampleTable:
        """Read the images of a split in the order of its lists, each once even if several lists have it.

        `id` and `video` are as in the lists, without the release's top folder. Subject, group (the
        ethnicity), device, session and species are parsed from the video's name; the names of the
        challenge's dev and test videos carry no information.

        Raises:
            DataError: a list is missing, empty or malformed, lists disagree on a label, or a listed video
                has no images.
        """
        lists = self._lists(split)
        if missing := [protocol for protocol, file in lists.items() if file is None]:
            raise DataError(
                f"{self.root}: no {split!r} list of {format_list(missing)}: choose another `protocol`"
            )
        files = [file for file in lists.values() if file is not None]
        release, base = self._release, self._release.find_video_folder(self.root, files[0])
        frames = merge_lists([read_list(file, self.root / base, release, split) for file in files], files)
        metadata = {video: parse_video_name(video) for video in {frame.video for frame in frames}}
        return SampleTable.of(
            {
                "id": [f"{frame.video}/{release.color}/{frame.name}" for frame in frames],
                "split": [split] * len(frames),
                "label": [frame.label for frame in frames],
                "video": [frame.video for frame in frames],
                "frame": [parse_frame_number(frame.name) for frame in frames],
                **{name: [metadata[frame.video].get(name) for frame in frames] for name in METADATA},
                **{
                    modality: [
                        None if folder in frame.missing else f"{base}{frame.video}/{folder}/{frame.name}"
                        for frame in frames
                    ]
                    for modality, folder in zip(MODALITIES, release.modality_folders, strict=True)
                },
            },
            modalities=MODALITIES,
            root=self.root,
        )

    @cached_property
    def _release(self) -> Release:
        releases = [
            release
            for release in (CHALLENGE, FULL)
            if any(release.find_lists(self.root, split) for split in SPLITS)
        ]
        if not releases:
            raise DataError(f"{self.root}: no list files of CeFA here, such as phase1/4@1_train.txt")
        if len(releases) > 1:
            raise DataError(f"{self.root}: lists of both releases of CeFA are here: keep those of one")
        return releases[0]

    def _lists(self, split: str) -> dict[str, Path | None]:
        """Return the list of each selected sub-protocol, None where it is missing."""
        files = self._release.find_lists(self.root, split)
        protocol = self.options.protocol
        selected = tuple(self._release.numbers) if protocol == "4@all" else (protocol,)
        return {name: files.get(name) for name in selected}


def parse_video_name(video: str) -> dict[str, str | None]:
    """Return the metadata in a video's name; None for undocumented codes, empty for other names.

    Names are `race_id_device_session_attack`, or `material_id_dress_glasses_device_session_light` for masks.

    >>> parse_video_name("train/1_031_1_2_3")["species"]
    'print'
    """
    match video.rpartition("/")[2].split("_"):
        case [race, person, device, session, attack] if race in RACES:
            group: str | None = RACES[race]
            subject, species = f"{group}-{person}", SPECIES.get(attack)
        case [material, person, _, _, device, session, _] if material in MASKS:
            group = None
            subject, species = f"{MASKS[material]}-{person}", MASKS[material]
        case _:
            return {}
    return {
        "subject": subject,
        "group": group,
        "device": DEVICES.get(device),
        "session": SESSIONS.get(session),
        "species": species,
    }
