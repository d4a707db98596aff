"""CASIA-SURF CeFA: colour, depth and infrared videos of people of three ethnicities, as images.

Liu et al., "CASIA-SURF CeFA: A Benchmark for Multi-modal Cross-ethnicity Face Anti-spoofing" (WACV 2021,
arXiv 2003.05136). Two releases are read: the challenge's of CVPR 2020 (`phase1/4@1_train.txt`, ...), whose
lists say 1 for live; and the full one (`protocol/CASIA_CeFA@p4.1_image_train.txt`, ...), whose lists say
0 for live: its labels are inverted here, so that 1 = live as everywhere. A line names an image or a whole
video, whose images are then taken in order; test lists may have no labels.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from attrs import field, frozen

from fas_core.data.text_lists import known_split
from fas_core.errors import DataError, format_list
from fas_core.records.samples import SampleTable
from fas_plugins.datasets.cefa_lists import (
    CHALLENGE,
    FULL,
    SPLITS,
    Release,
    joined,
    number_in,
    read_frames,
)
from fas_plugins.datasets.options import CefaOptions

MODALITIES = ("rgb", "depth", "ir")

RACES = {"1": "AF", "2": "CA", "3": "EA"}
DEVICES = {"1": "rssdk", "2": "mp4", "3": "bag", "4": "MOV"}
SESSIONS = {"1": "indoor", "2": "outdoor", "3": "random"}
SPECIES = {"1": "live", "2": "print_cloth", "3": "print", "4": "replay"}
MASKS = {"1": "mask_3d", "2": "mask_silicone"}
TOLD = ("subject", "group", "device", "session", "species")


@frozen
class Cefa:
    """Reader of either release below `root`."""

    options: CefaOptions
    root: Path = field(converter=Path)

    overlaps: tuple[tuple[str, str], ...] = field(default=(), init=False)
    notes: tuple[str, ...] = field(default=(), init=False)

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        """The splits of which any sub-protocol that the options ask for has a list.

        Raises:
            DataError: there are no lists of CeFA, or those of both releases.
        """
        return tuple(split for split in SPLITS if any(self._lists(split).values()))

    def samples(self, split: str) -> SampleTable:
        """Images of a split, in the order of its lists; one that several sub-protocols list is there once.

        `id` and `video` are as the lists write them, without the release's own folder. Subject, group (the
        ethnicity), device, session and species are what the video's name tells; the names of the
        challenge's dev and test videos tell nothing.

        Raises:
            DataError: a list is missing, empty or malformed, lists disagree on a label, or a video that is
                listed as a whole has no images.
        """
        known_split(split, self.splits(), self.root)
        lists = self._lists(split)
        if missing := [protocol for protocol, file in lists.items() if file is None]:
            raise DataError(
                f"{self.root}: no {split!r} list of {format_list(missing)}: choose another `protocol`"
            )
        files = [file for file in lists.values() if file is not None]
        release, base = self._release, self._release.base(self.root, files[0])
        frames = joined([read_frames(file, self.root / base, release, split) for file in files], files)
        told = {video: told_by(video) for video in {frame.video for frame in frames}}
        return SampleTable.of(
            {
                "id": [f"{frame.video}/{release.color}/{frame.name}" for frame in frames],
                "split": [split] * len(frames),
                "label": [frame.label for frame in frames],
                "video": [frame.video for frame in frames],
                "frame": [number_in(frame.name) for frame in frames],
                **{name: [told[frame.video].get(name) for frame in frames] for name in TOLD},
                **{
                    modality: [
                        None if kind in frame.without else f"{base}{frame.video}/{kind}/{frame.name}"
                        for frame in frames
                    ]
                    for modality, kind in zip(MODALITIES, release.kinds, strict=True)
                },
            },
            modalities=MODALITIES,
            root=self.root,
        )

    @cached_property
    def _release(self) -> Release:
        there = [
            release
            for release in (CHALLENGE, FULL)
            if any(release.find(self.root, split) for split in SPLITS)
        ]
        if not there:
            raise DataError(f"{self.root}: no list files of CeFA here, such as phase1/4@1_train.txt")
        if len(there) > 1:
            raise DataError(f"{self.root}: lists of both releases of CeFA are here: keep those of one")
        return there[0]

    def _lists(self, split: str) -> dict[str, Path | None]:
        """`{sub-protocol: its list}` of those that the options ask for."""
        found = self._release.find(self.root, split)
        wanted = self.options.protocol
        chosen = tuple(self._release.numbers) if wanted == "4@all" else (wanted,)
        return {protocol: found.get(protocol) for protocol in chosen}


def told_by(video: str) -> dict[str, str | None]:
    """What a video's name tells; None for a code that nobody explains.

    `race_id_device_session_attack`, or of masks `material_id_dress_glasses_device_session_light`.

    >>> told_by("train/1_031_1_2_3")["species"]
    'print'
    """
    match video.rpartition("/")[2].split("_"):
        case [race, person, device, session, attack] if race in RACES:
            subject, group, species = f"{RACES[race]}-{person}", RACES[race], SPECIES.get(attack)
        case [material, person, _, _, device, session, _] if material in MASKS:
            subject, group, species = f"{MASKS[material]}-{person}", "", MASKS[material]
        case _:
            return {}
    return {
        "subject": subject,
        "group": group or None,
        "device": DEVICES.get(device),
        "session": SESSIONS.get(session),
        "species": species,
    }
