"""Crop faces out of raw photos: one face a photo, all modalities alike, resumable.

Crops keep the photos' relative paths, so that the folder of crops has the layout of the folder of photos.
Photos that cannot be read are listed, and the others are cropped.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from fas_core.atomic import replacing
from fas_core.console import console
from fas_core.data.detectors import FaceDetector, face_detector, require_landmarks
from fas_core.data.faces import CROP_LOG, CropSettings, DetectedFace, crop_face, is_centre_in, largest
from fas_core.data.images import Box, Image, box_overlaps, encode, read_pixels, to_uint8
from fas_core.data.listing import UNREADABLE, describe_left_out, list_files
from fas_core.data.open import identify_dataset, is_unknown_folder, open_dataset
from fas_core.data.parallel import ordered
from fas_core.data.text_lists import NO_FACE
from fas_core.errors import DataError, format_list
from fas_core.records.samples import COLUMNS, SampleTable, concat
from fas_core.registry import Registry
from fas_plugins.commands.data.crop_log import Boxes, CropLog
from fas_plugins.commands.data.decoding import explain_undecodable
from fas_plugins.commands.data.sidecars import MANIFEST, copy_lists, write_lines

CroppedBox = tuple[str, Box | None]
"""The id of a sample and the box that was cropped, None where no face was found."""


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


@frozen(eq=False)
class CropJob:
    """The samples to crop, and how.

    Args:
        samples: the photos.
        ids: their ids.
        images: `{modality: path}` of each sample, relative to the root; crops have the same paths.
        destination: root of the crops.
        detect: finds the faces.
        settings: margin and size of the crops.
    """

    samples: SampleTable
    ids: list[str]
    images: list[dict[str, str]]
    destination: Path
    detect: FaceDetector
    settings: CropSettings

    def is_finished(self, row: int, boxes: Boxes) -> bool:
        """Return whether a sample is in the log and its crops, if any, exist."""
        name = self.ids[row]
        if boxes.get(name) is None:
            return name in boxes
        return all((self.destination / path).is_file() for path in self.images[row].values())

    def crop(self, row: int) -> CroppedBox:
        """Write the crops of one sample; return its id and the cropped box, None where no face was found.

        The face is the sample's box, else the largest one in the first modality. An aligned crop of a sample
        with a box is of the largest face whose centre lies in the box.

        Raises:
            DataError: an image cannot be read, or the sample's box lies outside it.
        """
        paths = self.images[row]
        photos = {modality: read_pixels(self.samples.root / path) for modality, path in paths.items()}
        first, box = next(iter(photos.values())), self.samples.box(row)
        if box is not None and not box_overlaps(box, first.shape):
            path = self.samples.root / next(iter(paths.values()))
            raise DataError(f"{path}: box {list(box)} lies outside the image")
        face = self._select_face(to_uint8(first), box)
        if face is None:
            return self.ids[row], None
        square, crops = crop_face(photos, face, self.settings)
        for modality, image in crops.items():
            with replacing(self.destination / paths[modality]) as temporary:
                temporary.write_bytes(encode(to_uint8(image), Path(paths[modality]).suffix))
        return self.ids[row], square

    def crop_all(self, rows: Iterable[int], workers: int, unreadable: dict[str, str]) -> Iterator[CroppedBox]:
        """Crop samples, yield the results, and add to `unreadable` why others cannot be cropped."""

        def crop(row: int) -> CroppedBox | DataError:
            try:
                return self.crop(row)
            except DataError as error:
                return error

        for row, result in zip(rows, ordered(crop, rows, workers), strict=True):
            if isinstance(result, DataError):
                unreadable[self.ids[row]] = result.message
            else:
                yield result

    def _detector_name(self, row: int) -> str | None:
        """Return the detector that found the sample's face; None where the sample has a box."""
        has_box = self.samples.box(row) is not None and self.settings.region == "box"
        return None if has_box else self.detect.name

    def _select_face(self, photo: Image, box: Box | None) -> DetectedFace | None:
        if box is not None and self.settings.region == "box":
            return DetectedFace(box)
        faces = self.detect(photo)
        return largest([face for face in faces if box is None or is_centre_in(face.box, box)])

    def write_manifest(self, boxes: Boxes) -> None:
        """Write `manifest.csv`: the known columns of each crop, its photo, and its box in the photo."""
        samples = self.samples
        known = [
            name for name in COLUMNS if name != "box" and samples.table.column(name).null_count < len(samples)
        ]
        columns: dict[str, list[Any]] = {name: samples.column(name) for name in known}
        columns |= {name: [paths.get(name) for paths in self.images] for name in samples.modalities}
        columns["source"] = [str(path) for path in samples.paths(samples.modalities[0])]
        cropped = [boxes.get(name) for name in self.ids]
        columns["source_box"] = [box and " ".join(f"{value:.1f}" for value in box) for box in cropped]
        columns["detector"] = [self._detector_name(row) for row in range(len(samples))]
        rows = [row for row, box in zip(zip(*columns.values(), strict=True), cropped, strict=True) if box]
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows([list(columns), *rows])
        with replacing(self.destination / MANIFEST) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")


def crop_samples(
    samples: SampleTable, destination: Path, detect: FaceDetector, settings: CropSettings, workers: int
) -> CropResult:
    """Write the crops of all samples, `manifest.csv`, `no_face.txt` and `unreadable.txt`.

    Raises:
        DataError: an image lies outside the root; `destination` is the root, or holds crops of other
            settings.
        FasError: the destination cannot be written.
    """
    if destination.resolve() == samples.root.resolve():
        raise DataError(f"{destination}: crops would replace the photos: choose another folder")
    ids = samples.column("id")
    settings = evolve(settings, detector=settings.detector or detect.name)
    log = CropLog(destination / CROP_LOG)
    boxes = log.read(settings)
    job = CropJob(samples, ids, find_image_paths(samples), destination, detect, settings)
    rows = [row for row in range(len(ids)) if not job.is_finished(row, boxes)]
    unreadable: dict[str, str] = {}
    with console.progress("cropping", len(rows), "photos") as bar:
        for name, box in log.record(job.crop_all(rows, workers, unreadable)):
            boxes[name] = box
            bar.advance()
    job.write_manifest(boxes)
    no_face = tuple(name for name in ids if name not in unreadable and boxes[name] is None)
    write_lines(destination / NO_FACE, no_face)
    write_lines(destination / UNREADABLE, unreadable.values())
    crops = len(samples) - len(no_face) - len(unreadable)
    return CropResult(crops, len(samples) - len(rows), no_face, detect.name, unreadable)


def crop_source(
    source: str, destination: Path, settings: CropSettings, workers: int, registry: Registry
) -> CropResult:
    """Crop a data set or a folder of photos; list files of a known layout are copied.

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
        return evolve(crop_samples(samples, destination, detect, settings, workers), notes=notes)
    component, root = identify_dataset(source, registry)
    reader = open_dataset(source, None, registry)
    samples = concat([reader.samples(split) for split in reader.splits()])
    result = crop_samples(samples, destination, detect, settings, workers)
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


def find_image_paths(samples: SampleTable) -> list[dict[str, str]]:
    """Return `{modality: path}` of each sample's images, relative to the root.

    Raises:
        DataError: a path leads out of the root; or a sample has no image, or shares one with another.
    """
    images: list[dict[str, str]] = [{} for _ in range(len(samples))]
    for modality in samples.modalities:
        for row, path in enumerate(samples.column(modality)):
            if path is not None:
                images[row][modality] = _make_relative(samples.root, path)
    if missing := [name for name, paths in zip(samples.column("id"), images, strict=True) if not paths]:
        raise DataError(f"{samples.root}: samples without an image: {format_list(missing)}")
    counts = Counter(path for paths in images for path in paths.values())
    if shared := [path for path, count in counts.items() if count > 1]:
        raise DataError(
            f"{samples.root}: images of more than one sample: {format_list(shared)}: copy them first"
        )
    return images


def _make_relative(root: Path, path: str) -> str:
    relative = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise DataError(f"{path}: leads out of {root}, so its crop would lie outside the folder of crops")
    return relative.as_posix()
