"""The simulator's files: CASIA-SURF's folders and lists, a manifest, and a note of what made them."""

from __future__ import annotations

import csv
import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from fas_core.atomic import replacing
from fas_core.console import console
from fas_core.data.parallel import ordered
from fas_core.errors import DataError
from fas_plugins.datasets.simulator.options import SyntheticOptions
from fas_plugins.datasets.simulator.protocol import (
    LIVE,
    MODALITIES,
    PROTOCOLS,
    SPLITS,
    Shot,
    group_of,
    members,
    shots,
)
from fas_plugins.datasets.simulator.render import capture
from fas_plugins.datasets.simulator.sensor import Picture

VERSION = 1
"""Goes up whenever the same options would give other files."""

NOTE = "simulated faces: these scores say that the pipeline works, not that faces are protected"
ABOUT = "simulator.json"
LISTS = {"train": "train_list.txt", "dev": "val_private_list.txt", "test": "test_private_list.txt"}
QUALITY = 93


def made_with(options: SyntheticOptions) -> dict[str, int]:
    """What the files depend on. The protocol is not of it: the lists of all are written."""
    return {
        "version": VERSION,
        "subjects": options.subjects,
        "shots": options.shots,
        "size": options.size,
        "seed": options.seed,
    }


def digest(options: SyntheticOptions) -> str:
    """Eight hex digits that differ whenever the files do."""
    return hashlib.sha256(json.dumps(made_with(options), sort_keys=True).encode()).hexdigest()[:8]


def is_made(root: Path, options: SyntheticOptions) -> bool:
    """Whether these options' files are there; the note is only there when all the others are.

    Raises:
        DataError: the root holds other options' data, or something else.
    """
    if not root.exists():
        return False
    if not (root / ABOUT).is_file():
        if root.is_dir() and not any(root.iterdir()):
            return False
        raise DataError(f"{root}: holds other things than simulated data: name a new or an empty folder")
    found, wanted = _read_about(root / ABOUT), made_with(options)
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    if differing:
        made, asked = (
            ", ".join(f"{name} {values.get(name)}" for name in differing) for values in (found, wanted)
        )
        raise DataError(f"{root}: its data were made with {made}, and not {asked}: name another folder")
    return True


def make(root: Path, options: SyntheticOptions, workers: int) -> None:
    """Render everything into `root`, which appears only when it is complete.

    Raises:
        FasError: the disk is full or read-only, or the place cannot be written.
    """
    taken = shots(options)
    with replacing(root) as folder:
        for parent in {(folder / shot.path(kind)).parent for shot in taken for kind in MODALITIES}:
            parent.mkdir(parents=True)
        draw = partial(_write_shot, folder, options)
        with console.progress("simulating faces", total=len(taken)) as bar:
            for _ in ordered(draw, taken, workers):
                bar.advance()
        _write_lists(folder, options, taken)
        _write_manifest(folder / "manifest.csv", taken)
        about = {"note": NOTE, "made_with": made_with(options), "samples": len(taken)}
        (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _read_about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))["made_with"]
        return dict(about)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as the simulator's note: name another folder") from error


def _write_shot(folder: Path, options: SyntheticOptions, shot: Shot) -> None:
    for kind, picture in capture(shot, options.seed, options.size).items():
        (folder / shot.path(kind)).write_bytes(_jpeg(picture))


def _jpeg(picture: Picture) -> bytes:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(data)


def _write_lists(folder: Path, options: SyntheticOptions, taken: list[Shot]) -> None:
    """Every protocol's lists: `grandtest` in the root, the others in folders of their names."""
    for protocol in PROTOCOLS:
        place = folder if protocol == PROTOCOLS[0] else folder / protocol
        place.mkdir(exist_ok=True)
        for split in SPLITS:
            lines = [
                " ".join([*map(shot.path, MODALITIES), str(int(shot.species == LIVE))]) + "\n"
                for shot in members(protocol, split, taken, options.subjects)
            ]
            (place / LISTS[split]).write_text("".join(lines), encoding="utf-8", newline="\n")


def _write_manifest(path: Path, taken: list[Shot]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "species", "subject", "group"])
        for shot in taken:
            table.writerow([shot.path("color"), shot.species, shot.person, group_of(shot.subject)])
