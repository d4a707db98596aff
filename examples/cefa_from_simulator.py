"""Simulated faces in the layout of CASIA-SURF CeFA's challenge release, to try its protocols without it.

    python examples/cefa_from_simulator.py data/cefa
    fas train quickstart --data data/cefa --protocol cefa-4
    fas eval runs/quickstart --aggregate video

Several captures of a person and species make a video. As in the release, each sub-protocol trains on one
group of people and one kind of attack (here flat prints) and tests on the other groups and other attacks;
names in dev and test tell nothing. The simulator's groups of skin tone stand where the release has its three
ethnicities. Scores on it say that a pipeline works, and nothing about CeFA.
"""

from __future__ import annotations

import argparse
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from fas_core.atomic import replacing
from fas_core.console import console
from fas_core.data.open import open_dataset
from fas_core.records.samples import SampleTable
from fas_core.registry import registry

RACES = {"dark": 1, "light": 2, "medium": 3}
ATTACKS = {"live": 1, "print_bent": 2, "print": 3, "replay": 4}
SEEN, UNSEEN = ("live", "print"), ("live", "print_bent", "replay")
FOLDERS = {"rgb": "profile", "depth": "depth", "ir": "ir"}


@frozen(eq=False)
class Video:
    """Some captures of one person and species; `number` tells a person's videos of a species apart."""

    split: str
    subject: str
    race: int
    species: str
    number: int
    frames: tuple[dict[str, Path], ...]

    @property
    def label(self) -> int:
        return int(self.species == "live")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dst", type=Path, help="a folder that is not there yet")
    parser.add_argument("--subjects", type=int, default=36, help="people, a third in each group")
    parser.add_argument("--frames", type=int, default=5, help="of a video")
    parser.add_argument("--size", type=int, default=96, help="of colour images, pixels")
    given = parser.parse_args()
    options = {"subjects": given.subjects, "shots": given.frames, "size": given.size}
    simulated = open_dataset("synthetic", options, registry())
    found = [
        video
        for split in simulated.splits()
        for video in videos_of(simulated.samples(split), split, given.frames)
    ]
    if given.dst.exists():
        parser.error(f"{given.dst}: is there already")
    with replacing(given.dst) as folder:
        for line in write(folder, found):
            console.info(line)


def videos_of(samples: SampleTable, split: str, frames: int) -> list[Video]:
    """The captures of each person and species, in videos of so many frames."""
    paths = [samples.paths(modality) for modality in FOLDERS]
    captures: dict[tuple[str, str, str], list[dict[str, Path]]] = defaultdict(list)
    columns = (samples.column(name) for name in ("subject", "group", "species"))
    for key, *files in zip(zip(*columns, strict=True), *paths, strict=True):
        captures[key].append(dict(zip(FOLDERS, files, strict=True)))
    return [
        Video(
            split, subject, RACES[group], species, start // frames + 1, tuple(taken[start : start + frames])
        )
        for (subject, group, species), taken in captures.items()
        if species in ATTACKS
        for start in range(0, len(taken), frames)
    ]


def write(root: Path, videos: list[Video]) -> Iterable[str]:
    """Copy the images and write the lists; says what each list holds."""
    names = named(videos)
    for video, name in names.items():
        for number, images in enumerate(video.frames, 1):
            for modality, source in images.items():
                target = phase(root, video.split) / name / FOLDERS[modality] / f"{number:04}.jpg"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    for race in sorted(RACES.values()):
        for split in ("train", "dev", "test"):
            species = UNSEEN if split == "test" else SEEN
            listed = [
                video
                for video in names
                if video.split == split
                and video.species in species
                and (video.race == race) != (split == "test")
            ]
            write_lists(phase(root, split), f"4@{race}_{split}", {names[video]: video for video in listed})
            yield f"4@{race} {split}: {len(listed)} videos, {sum(video.label for video in listed)} live"


def phase(root: Path, split: str) -> Path:
    return root / ("phase2" if split == "test" else "phase1")


def named(videos: list[Video]) -> dict[Video, str]:
    """The folder of each: told by its name in train, numbered in dev (from 003000 on) and test."""
    numbers = {"dev": iter(range(3000, 10_000)), "test": iter(range(1, 10_000))}
    return {
        video: f"train/{video.race}_{video.subject[-3:]}_1_{video.number}_{ATTACKS[video.species]}"
        if video.split == "train"
        else f"{video.split}/{next(numbers[video.split]):06}"
        for video in videos
    }


def write_lists(folder: Path, name: str, videos: dict[str, Video]) -> None:
    """Of train a line an image; of dev and test a line a video, without (`res`) and with (`ref`) labels."""
    if name.endswith("train"):
        lines = [
            f"{video}/{FOLDERS['rgb']}/{number:04}.jpg {found.label}"
            for video, found in videos.items()
            for number in range(1, len(found.frames) + 1)
        ]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
        return
    (folder / f"{name}_res.txt").write_text("".join(f"{video}\n" for video in videos))
    (folder / f"{name}_ref.txt").write_text(
        "".join(f"{video} {found.label}\n" for video, found in videos.items())
    )


if __name__ == "__main__":
    main()
