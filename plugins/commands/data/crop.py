"""Face crops from raw photos: one face a photo, all modalities cut alike, resumable.

Crops keep the photos' relative paths, so that the folder of crops is laid out like the photos' folder.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from fas_core.atomic import replacing
from fas_core.console import console
from fas_core.data.faces import CropSettings, Detector, crop_face, face_detector, largest
from fas_core.data.images import Box, read_image, write_image
from fas_core.data.open import identify_dataset, is_unknown_folder, open_dataset
from fas_core.data.parallel import ordered
from fas_core.data.text_lists import NO_FACE, is_image
from fas_core.errors import DataError, FasError, format_list
from fas_core.records.samples import COLUMNS, SampleTable, concat
from fas_core.registry import Registry

JOURNAL, MANIFEST = "crops.jsonl", "manifest.csv"


@frozen
class Journal:
    """What was done, a line a photo, so that an interrupted job goes on where it was."""

    path: Path

    def open(self, settings: CropSettings) -> dict[str, Box | None]:
        """Boxes by sample id so far, None where no face was found; begins the file if it is not there.

        Raises:
            DataError: the crops that are there were made with other settings.
        """
        header = json.dumps({"settings": {name: str(value) for name, value in asdict(settings).items()}})
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else [header]
        if lines[0] != header:
            was = ", ".join(f"{name} {value}" for name, value in json.loads(lines[0])["settings"].items())
            raise DataError(
                f"{self.path.parent}: was cropped with {was}: do the same or choose another folder"
            )
        if not lines[-1].endswith("}"):  # it was interrupted in the middle of a line
            lines.pop()
        with replacing(self.path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        records = map(json.loads, lines[1:])
        return {item["id"]: None if item["box"] is None else tuple(item["box"]) for item in records}

    def add(self, done: Iterable[tuple[str, Box | None]]) -> Iterator[tuple[str, Box | None]]:
        """Write each record down as it comes, and pass it on."""
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                for name, box in done:
                    stream.write(json.dumps({"id": name, "box": box}) + "\n")
                    stream.flush()
                    yield name, box
        except OSError as error:
            raise FasError(f"{self.path}: cannot be written: {error.strerror}") from error


@frozen
class Cropped:
    """What a crop job left: how many samples have a crop, how many of them were there before, and
    the ids of those without a face."""

    crops: int
    kept: int
    no_face: tuple[str, ...]


def loose_images(root: Path) -> SampleTable:
    """Every image below a folder, as RGB samples of which nothing is known; the id is the relative path.

    Raises:
        DataError: there is none.
    """
    found = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if is_image(path.name))
    if not found:
        raise DataError(f"{root}: no images in this folder")
    return SampleTable.of({"id": found, "rgb": found}, modalities=("rgb",), root=root)


def crop(
    samples: SampleTable, destination: Path, detect: Detector, settings: CropSettings, workers: int
) -> Cropped:
    """Cut the faces out of all samples and write them, `manifest.csv` and `no_face.txt`.

    A face is the sample's box if it has one, else the largest that `detect` finds in the first modality.

    Raises:
        DataError: an image is unreadable or lies outside the root; `destination` is the root, or holds
            crops of other settings.
        FasError: the destination cannot be written.
    """
    if destination.resolve() == samples.root.resolve():
        raise DataError(f"{destination}: crops would replace the photos: choose another folder")
    images = image_paths(samples)
    journal = Journal(destination / JOURNAL)
    boxes = journal.open(settings)

    def is_done(row: int, name: str) -> bool:
        written = all((destination / path).is_file() for path in images[row].values())
        return name in boxes and (boxes[name] is None or written)

    def work(row: int) -> tuple[str, Box | None]:
        photos = {modality: read_image(samples.root / path) for modality, path in images[row].items()}
        first = next(iter(photos.values()))
        face = samples.box(row) or largest(detect(first))
        if face is None:
            return ids[row], None
        box, pieces = crop_face(photos, face, settings)
        for modality, piece in pieces.items():
            write_image(destination / images[row][modality], piece)
        return ids[row], box

    ids = samples.column("id")
    rows = [row for row, name in enumerate(ids) if not is_done(row, name)]
    with console.progress("cropping", len(rows)) as bar:
        for name, box in journal.add(ordered(work, rows, workers)):
            boxes[name] = box
            bar.advance()
    no_face = tuple(name for name in ids if boxes[name] is None)
    _write_manifest(destination, samples, images, boxes)
    with replacing(destination / NO_FACE) as temporary:
        temporary.write_text("".join(f"{name}\n" for name in no_face), encoding="utf-8")
    return Cropped(len(ids) - len(no_face), len(ids) - len(rows), no_face)


def crop_source(
    source: str, destination: Path, settings: CropSettings, workers: int, registry: Registry
) -> Cropped:
    """Crop a data set, or a plain folder of photos; list files of a known layout are copied along.

    Raises:
        DataError: as `crop` and `open_dataset`; or `destination` lies within a folder that is searched.
    """
    detect = face_detector(settings.detector)
    folder = Path(source.partition(":")[2] or source)
    if folder.is_dir() and destination.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{destination}: lies within {folder}, which is searched: choose another folder")
    if is_unknown_folder(source, registry):
        return crop(loose_images(Path(source)), destination, detect, settings, workers)
    component, root = identify_dataset(source, registry)
    reader = open_dataset(source, None, registry)
    samples = concat([reader.samples(split) for split in reader.splits()])
    done = crop(samples, destination, detect, settings, workers)
    if root is not None and root.is_dir():
        copy_lists(component.markers, root, destination)
    return done


def copy_lists(markers: Iterable[str], root: Path, destination: Path) -> list[Path]:
    """Copy a layout's list files, so that the crops are a root of the same layout; what was copied."""
    files = sorted({path for marker in markers for path in root.glob(marker)})
    copied = [path for path in files if path.is_file() and not is_image(path.name)]
    for path in copied:
        with replacing(destination / path.relative_to(root)) as temporary:
            shutil.copyfile(path, temporary)
    return copied


def image_paths(samples: SampleTable) -> list[dict[str, str]]:
    """`{modality: path}` of each sample's images, relative to the root: crops have the same below theirs.

    Raises:
        DataError: a path leads out of the root; or a sample has no image, or one that another has too.
    """
    images: list[dict[str, str]] = [{} for _ in range(len(samples))]
    for modality in samples.modalities:
        for row, path in enumerate(samples.column(modality)):
            if path is not None:
                images[row][modality] = _below(samples.root, path)
    if bare := [name for name, found in zip(samples.column("id"), images, strict=True) if not found]:
        raise DataError(f"{samples.root}: samples without an image: {format_list(bare)}")
    named = Counter(path for paths in images for path in paths.values())
    if shared := [path for path, count in named.items() if count > 1]:
        raise DataError(
            f"{samples.root}: images of more than one sample: {format_list(shared)}: copy them first"
        )
    return images


def _below(root: Path, path: str) -> str:
    place = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path(path)
    if place.is_absolute() or ".." in place.parts:
        raise DataError(f"{path}: leads out of {root}, so that its crop would have no place")
    return place.as_posix()


def _write_manifest(
    destination: Path,
    samples: SampleTable,
    images: Sequence[Mapping[str, str]],
    boxes: Mapping[str, Box | None],
) -> None:
    """What is known of each crop, with the photo it is from and the box in it."""
    table = samples.table
    known = [name for name in COLUMNS if name != "box" and table.column(name).null_count < len(samples)]
    columns: dict[str, list[Any]] = {name: samples.column(name) for name in known}
    columns |= {name: [paths.get(name) for paths in images] for name in samples.modalities}
    columns["source"] = [str(path) for path in samples.paths(samples.modalities[0])]
    found = [boxes[name] for name in columns["id"]]
    columns["source_box"] = [box and " ".join(f"{value:.1f}" for value in box) for box in found]
    rows = [row for row, box in zip(zip(*columns.values(), strict=True), found, strict=True) if box]
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(columns), *rows])
    with replacing(destination / MANIFEST) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
