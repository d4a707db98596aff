"""Crop faces out of raw photos: one face a photo, all modalities alike, resumable.

Crops keep the photos' relative paths, so that the folder of crops has the layout of the folder of photos.
Photos that cannot be read are listed, and the others are cropped.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from fas_core.atomic import sync_disk, write_text
from fas_core.console import console
from fas_core.data.decoder_messages import explain_undecodable
from fas_core.data.detectors import FaceDetector, face_detector, require_landmarks
from fas_core.data.faces import CROP_LOG, CropSettings
from fas_core.data.images import Box
from fas_core.data.listing import UNREADABLE, describe_left_out, list_files
from fas_core.data.open import identify_dataset, is_unknown_folder, open_dataset
from fas_core.data.text_lists import NO_FACE
from fas_core.errors import DataError
from fas_core.names import to_text
from fas_core.records.samples import COLUMNS, SampleTable, concat
from fas_core.registry import Registry
from fas_plugins.commands.data.crop_job import CropJob, find_image_paths
from fas_plugins.commands.data.crop_log import Boxes, CropLog
from fas_plugins.commands.data.crop_parts import CropParts, remove_parts
from fas_plugins.commands.data.sidecars import MANIFEST, copy_lists, write_lines

SYNC_INTERVAL = 5.0
"""Seconds between two syncs of crops to the disk; a killed job crops again what it cropped since the last."""


@frozen
class CropResult:
    """The result of a crop job.

    Args:
        crops: number of samples that have a crop.
        skipped: number of samples that an earlier job had finished.
        no_face: ids of the samples without a face.
        detector: name of the face detector.
        unreadable: `{id: why a sample could not be cropped}`; of an image that is no sample, its path.
        notes: what the data set's reader says of the data, such as which files are left out.
    """

    crops: int
    skipped: int
    no_face: tuple[str, ...]
    detector: str
    unreadable: dict[str, str] = field(factory=dict)
    notes: tuple[str, ...] = ()


def _crop_here(
    job: CropJob, rows: Sequence[int], workers: int, unreadable: dict[str, str]
) -> Iterator[tuple[str, Box | None]]:
    """Crop samples in this process, yield their boxes by id, and add to `unreadable` why others have none.

    A result is yielded when its crops are on the disk, so that the log is true after a power cut.
    """
    finished: list[tuple[str, Box | None]] = []
    due = time.monotonic() + SYNC_INTERVAL
    with console.progress("cropping", len(rows), "photos") as bar:
        for row, result in zip(rows, job.crop_each(rows, workers), strict=True):
            if isinstance(result, DataError):
                unreadable[job.ids[row]] = result.message
            else:
                finished.append((job.ids[row], result))
            bar.advance()
            if time.monotonic() >= due:
                sync_disk()
                yield from finished
                finished, due = [], time.monotonic() + SYNC_INTERVAL
    sync_disk()
    yield from finished


def _write_manifest(job: CropJob, boxes: Boxes) -> None:
    """Write `manifest.csv`: the known columns of each crop, its photo, and its box in the photo."""
    samples = job.samples
    known = [
        name for name in COLUMNS if name != "box" and samples.table.column(name).null_count < len(samples)
    ]
    columns: dict[str, list[Any]] = {name: samples.column(name) for name in known}
    columns |= {name: [paths.get(name) for paths in job.images] for name in samples.modalities}
    columns["source"] = [to_text(str(path)) for path in samples.paths(samples.modalities[0])]
    cropped = [boxes.get(name) for name in job.ids]
    columns["source_box"] = [box and " ".join(f"{value:.1f}" for value in box) for box in cropped]
    columns["detector"] = [job.detector_name(row) for row in range(len(samples))]
    rows = [row for row, box in zip(zip(*columns.values(), strict=True), cropped, strict=True) if box]
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(columns), *rows])
    write_text(job.destination / MANIFEST, text.getvalue())


def crop_samples(
    samples: SampleTable,
    destination: Path,
    detect: FaceDetector,
    settings: CropSettings,
    workers: int,
    parts: CropParts | None = None,
) -> CropResult:
    """Write the crops of all samples, `manifest.csv`, `no_face.txt` and `unreadable.txt`.

    `parts` has an engine crop them in place of `workers` threads of this process.

    Raises:
        DataError: an image lies outside the root; `destination` is the root, or holds crops of other
            settings.
        FasError: the destination cannot be written.
    """
    root = samples.root
    if isinstance(root, Path) and destination.resolve() == root.resolve():
        raise DataError(f"{destination}: crops would replace the photos: choose another folder")
    ids = samples.column("id")
    settings = evolve(settings, detector=settings.detector or detect.name)
    log = CropLog(destination / CROP_LOG)
    boxes = log.read(settings)
    job = CropJob(samples, ids, find_image_paths(samples), destination, detect, settings)
    rows = [row for row in range(len(ids)) if not job.is_finished(row, boxes)]
    unreadable: dict[str, str] = {}
    results = parts.crop(job, rows, unreadable) if parts else _crop_here(job, rows, workers, unreadable)
    for name, box in log.record(results):
        boxes[name] = box
    remove_parts(destination)
    _write_manifest(job, boxes)
    no_face = tuple(name for name in ids if name not in unreadable and boxes[name] is None)
    write_lines(destination / NO_FACE, no_face)
    write_lines(destination / UNREADABLE, unreadable.values())
    crops = len(samples) - len(no_face) - len(unreadable)
    return CropResult(crops, len(samples) - len(rows), no_face, detect.name, unreadable)


def crop_source(
    source: str,
    destination: Path,
    settings: CropSettings,
    workers: int,
    registry: Registry,
    parts: CropParts | None = None,
) -> CropResult:
    """Crop a data set or a folder of photos; list files of a known layout are copied.

    `parts` has an engine crop them in place of `workers` threads of this process.

    Raises:
        DataError: as in `crop_samples` and `open_dataset`; or `destination` lies within the source folder.
    """
    detect = face_detector(settings.detector)
    if settings.region != "box":
        require_landmarks(detect)
    folder = Path(source.partition(":")[2] or source)
    if folder.is_dir() and destination.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{destination}: lies within {folder}, which is searched: choose another folder")
    if is_unknown_folder(source, registry):
        samples, notes = find_photos(Path(source))
        return evolve(crop_samples(samples, destination, detect, settings, workers, parts), notes=notes)
    component, root = identify_dataset(source, registry)
    reader = open_dataset(source, None, registry)
    samples = concat([reader.samples(split) for split in reader.splits()])
    result = crop_samples(samples, destination, detect, settings, workers, parts)
    if root is not None and root.is_dir():
        copy_lists(component.markers, root, destination)
    return evolve(
        result, unreadable=result.unreadable | explain_undecodable(reader, samples.root), notes=reader.notes
    )


def find_photos(root: Path) -> tuple[SampleTable, tuple[str, ...]]:
    """Return every image below a folder as an unlabelled RGB sample, and a note of the files left out.

    The id of a sample is the relative path. Images that cannot be decoded are samples, too.

    Raises:
        DataError: there are no images.
    """
    listing = list_files(root)
    paths = sorted((*listing.images, *listing.undecodable))
    left_out = describe_left_out((*listing.videos, *listing.others))
    if not paths:
        problem = f"{root}: no images in this folder"
        raise DataError(f"{problem}: {left_out}" if left_out else problem)
    samples = SampleTable.of({"id": paths, "rgb": paths}, modalities=("rgb",), root=root)
    return samples, (left_out,) if left_out else ()
