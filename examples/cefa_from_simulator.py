"""Write simulated faces in the layout of the CASIA-SURF CeFA release, to try its protocols without it.

    python examples/cefa_from_simulator.py data/cefa
    fas train quickstart --data data/cefa --protocol cefa-4
    fas eval runs/quickstart --aggregate video

Several captures of a person and species (PAI species, the kind of attack) make a video. As in the release,
each sub-protocol trains on one group of people and one species (here flat prints), and tests on the other
groups and other species; file names in dev and test reveal no labels. The simulator's groups of skin tone
replace the release's three ethnicities. Scores show that a pipeline works, and nothing about CeFA.
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
    """Captures of one person and species; `number` counts that person's videos of the species from 1."""

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
    parser.add_argument("dst", type=Path, help="folder to write, which must not exist")
    parser.add_argument("--subjects", type=int, default=36, help="number of people, a third in each group")
    parser.add_argument("--frames", type=int, default=5, help="frames of a video")
    parser.add_argument("--size", type=int, default=96, help="side of the colour images in pixels")
    arguments = parser.parse_args()
    options = {"subjects": arguments.subjects, "shots": arguments.frames, "size": arguments.size}
    simulated = open_dataset("synthetic", options, registry())
    videos = [
        video
        for split in simulated.splits()
        for video in group_into_videos(simulated.samples(split), split, arguments.frames)
    ]
    if arguments.dst.exists():
        parser.error(f"{arguments.dst}: is there already")
    with replacing(arguments.dst) as folder:
        for line in write_release(folder, videos):
            console.info(line)


def group_into_videos(samples: SampleTable, split: str, frames: int) -> list[Video]:
    """Group the captures of each person and species into videos of `frames` captures."""
    paths = [samples.paths(modality) for modality in FOLDERS]
    captures: dict[tuple[str, str, str], list[dict[str, Path]]] = defaultdict(list)
    columns = (samples.column(name) for name in ("subject", "group", "species"))
    for key, *files in zip(zip(*columns, strict=True), *paths, strict=True):
        captures[key].append(dict(zip(FOLDERS, files, strict=True)))
    return [
        Video(
            split, subject, RACES[group], species, start // frames + 1, tuple(images[start : start + frames])
        )
        for (subject, group, species), images in captures.items()
        if species in ATTACKS
        for start in range(0, len(images), frames)
    ]


def write_release(root: Path, videos: list[Video]) -> Iterable[str]:
    """Copy the images and write the lists; yield a line about each list."""
    names = name_videos(videos)
    for video, name in names.items():
        for number, images in enumerate(video.frames, 1):
            for modality, source in images.items():
                target = phase_folder(root, video.split) / name / FOLDERS[modality] / f"{number:04}.jpg"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    for race in sorted(RACES.values()):
        for split in ("train", "dev", "test"):
            species = UNSEEN if split == "test" else SEEN
            selected = [
                video
                for video in names
                if video.split == split
                and video.species in species
                and (video.race == race) != (split == "test")
            ]
            write_lists(
                phase_folder(root, split), f"4@{race}_{split}", {names[video]: video for video in selected}
            )
            yield f"4@{race} {split}: {len(selected)} videos, {sum(video.label for video in selected)} live"


def phase_folder(root: Path, split: str) -> Path:
    return root / ("phase2" if split == "test" else "phase1")


def name_videos(videos: list[Video]) -> dict[Video, str]:
    """Return the folder of each video: its labels in train, a number in dev (from 003000 on) and test."""
    numbers = {"dev": iter(range(3000, 10_000)), "test": iter(range(1, 10_000))}
    return {
        video: f"train/{video.race}_{video.subject[-3:]}_1_{video.number}_{ATTACKS[video.species]}"
        if video.split == "train"
        else f"{video.split}/{next(numbers[video.split]):06}"
        for video in videos
    }


def write_lists(folder: Path, list_name: str, videos: dict[str, Video]) -> None:
    """Write a list: for train one line per image, for dev and test one per video, without and with labels."""
    if list_name.endswith("train"):
        lines = [
            f"{name}/{FOLDERS['rgb']}/{number:04}.jpg {video.label}"
            for name, video in videos.items()
            for number in range(1, len(video.frames) + 1)
        ]
        (folder / f"{list_name}.txt").write_text("\n".join(lines) + "\n")
        return
    (folder / f"{list_name}_res.txt").write_text("".join(f"{name}\n" for name in videos))
    (folder / f"{list_name}_ref.txt").write_text(
        "".join(f"{name} {video.label}\n" for name, video in videos.items())
    )


if __name__ == "__main__":
    main()
