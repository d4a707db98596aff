"""Files of a simulated data set: CASIA-SURF's folders and lists, a manifest, and a record of the options."""

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
from fas_core.data.digest_list import digest_list_path, find_changes, list_folder, write_digests
from fas_core.data.parallel import ordered
from fas_core.errors import DataError
from fas_core.text_files import read_json
from fas_plugins.datasets.simulator.options import SyntheticOptions
from fas_plugins.datasets.simulator.protocol import (
    LIVE,
    MODALITIES,
    PROTOCOLS,
    SPLITS,
    Shot,
    get_group,
    list_shots,
    select_shots,
)
from fas_plugins.datasets.simulator.render import render_shot
from fas_plugins.datasets.simulator.sensor import Picture

VERSION = 1
"""Increase it whenever the same options would give other files."""

NOTE = "simulated faces: these scores say that the pipeline works, not that faces are protected"
RECORD_FILE = "simulator.json"
LIST_FILES = {"train": "train_list.txt", "dev": "val_private_list.txt", "test": "test_private_list.txt"}
JPEG_QUALITY = 93


def hash_options(options: SyntheticOptions) -> str:
    """Return eight hex digits that differ whenever the files do."""
    text = json.dumps(_file_options(options), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def is_written(root: Path, options: SyntheticOptions) -> bool:
    """Return whether `root` holds the complete files of these options. The record is written last.

    Raises:
        DataError: the root holds the data of other options, or other files.
    """
    if not root.exists():
        return False
    if not (root / RECORD_FILE).is_file():
        if root.is_dir() and not any(root.iterdir()):
            return False
        raise DataError(f"{root}: holds other files than simulated data: name a new or an empty folder")
    actual, expected = _read_record(root / RECORD_FILE), _file_options(options)
    if differing := [name for name in expected if actual.get(name) != expected[name]]:
        actual_text, expected_text = (
            ", ".join(f"{name} {values.get(name)}" for name in differing) for values in (actual, expected)
        )
        raise DataError(f"{root}: its data have {actual_text}, expected {expected_text}: name another folder")
    return True


def check_files(root: Path, workers: int) -> None:
    """Raise DataError, which names a file, if one has changed since it was made."""
    digests = digest_list_path(root)
    if digests.is_file() and (changes := find_changes(digests, workers)):
        path = changes[0].partition(": ")[0]
        more = f", and {len(changes) - 1} other files" if len(changes) > 1 else ""
        problem = f"{path}{more}: damaged since it was made"
        raise DataError(f"{problem}: remove {root}, and make it again by `fas data make`")


def write_dataset(root: Path, options: SyntheticOptions, workers: int) -> None:
    """Render all captures and write them to `root`, which appears only when it is complete.

    Raises:
        FasError: the disk is full or read-only, or `root` cannot be written.
    """
    shots = list_shots(options)
    with replacing(root) as folder:
        for parent in {(folder / shot.path(modality)).parent for shot in shots for modality in MODALITIES}:
            parent.mkdir(parents=True)
        write_shot = partial(_write_shot, folder, options)
        with console.progress("simulating faces", len(shots), "samples") as bar:
            for _ in ordered(write_shot, shots, workers):
                bar.advance()
        _write_lists(folder, options, shots)
        _write_manifest(folder / "manifest.csv", shots)
        write_digests(digest_list_path(folder), list_folder(folder), workers)
        record = {"note": NOTE, "made_with": _file_options(options), "samples": len(shots)}
        (folder / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _file_options(options: SyntheticOptions) -> dict[str, int]:
    """Return the options that the files depend on: all but the protocol, as all lists are written."""
    return {
        "version": VERSION,
        "subjects": options.subjects,
        "shots": options.shots,
        "size": options.size,
        "seed": options.seed,
    }


def _read_record(path: Path) -> dict[str, Any]:
    record = read_json(path)
    if not isinstance(record, dict) or not isinstance(record.get("made_with"), dict):
        raise DataError(f"{path}: cannot be read as the simulator's record: name another folder")
    return dict(record["made_with"])


def _write_shot(folder: Path, options: SyntheticOptions, shot: Shot) -> None:
    for modality, picture in render_shot(shot, options.seed, options.size).items():
        (folder / shot.path(modality)).write_bytes(_encode_jpeg(picture))


def _encode_jpeg(picture: Picture) -> bytes:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data)


def _write_lists(root: Path, options: SyntheticOptions, shots: list[Shot]) -> None:
    """Write the lists of every protocol: `grandtest` to the root, the others to folders of their names."""
    for protocol in PROTOCOLS:
        folder = root if protocol == PROTOCOLS[0] else root / protocol
        folder.mkdir(exist_ok=True)
        for split in SPLITS:
            lines = [
                " ".join([*map(shot.path, MODALITIES), str(int(shot.species == LIVE))]) + "\n"
                for shot in select_shots(protocol, split, shots, options.subjects)
            ]
            (folder / LIST_FILES[split]).write_text("".join(lines), encoding="utf-8", newline="\n")


def _write_manifest(path: Path, shots: list[Shot]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "species", "subject", "group"])
        for shot in shots:
            row = [shot.path("color"), shot.species, shot.subject_name, get_group(shot.subject)]
            table.writerow(row)
