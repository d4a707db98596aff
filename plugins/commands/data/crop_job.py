"""Cropping one sample: its face, its crops of all modalities, and where they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from fas_core.atomic import replacing
from fas_core.data.detectors import FaceDetector
from fas_core.data.faces import CropSettings, crop_face, is_centre_in, largest
from fas_core.data.images import Box, Image, box_overlaps, encode, read_pixels, to_uint8
from fas_core.data.parallel import ordered
from fas_core.data.remote_files import reading_threads
from fas_core.errors import DataError, format_list
from fas_core.names import to_path
from fas_core.records.detected_face import DetectedFace
from fas_core.records.samples import SampleTable
from fas_core.urls import Location, Url, is_url, to_location
from fas_plugins.commands.data.crop_log import Boxes

CroppedBox = Box | None
"""The box that was cropped of a sample, None where no face was found."""


@frozen(eq=False)
class CropJob:
    """The samples to crop, and how.

    Args:
        samples: the photos.
        ids: their ids.
        images: `{modality: path}` of each sample's crops, relative to the destination.
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
        return all(self.crop_path(path).is_file() for path in self.images[row].values())

    def crop_path(self, path: str) -> Path:
        """Return the path of a crop, by its path relative to the destination."""
        return to_path(self.destination, path)

    def crop(self, row: int) -> CroppedBox:
        """Write the crops of one sample; return the cropped box, None where no face was found.

        The face is the sample's box, else the largest one in the first modality. An aligned crop of a sample
        with a box is of the largest face whose centre lies in the box.

        Raises:
            DataError: an image cannot be read, or the sample's box lies outside it.
        """
        paths = self.images[row]
        photos = {modality: read_pixels(self.samples.path(row, modality)) for modality in paths}
        first, box = next(iter(photos.values())), self.samples.box(row)
        if box is not None and not box_overlaps(box, first.shape):
            path = self.samples.path(row, next(iter(paths)))
            raise DataError(f"{path}: box {list(box)} lies outside the image")
        face = self._select_face(to_uint8(first), box)
        if face is None:
            return None
        square, crops = crop_face(photos, face, self.settings)
        for modality, image in crops.items():
            with replacing(self.crop_path(paths[modality]), durable=False) as temporary:
                temporary.write_bytes(encode(to_uint8(image), Path(paths[modality]).suffix))
        x, y, width, height = map(float, square)
        return x, y, width, height

    def crop_each(self, rows: Sequence[int], workers: int) -> Iterator[CroppedBox | DataError]:
        """Crop samples by so many threads, or more where URLs are read; yield what is cropped, or why not."""

        def crop(row: int) -> CroppedBox | DataError:
            try:
                return self.crop(row)
            except DataError as error:
                return error

        return ordered(crop, rows, reading_threads(self.samples, workers))

    def detector_name(self, row: int) -> str | None:
        """Return the detector that found the sample's face; None where the sample has a box."""
        has_box = self.samples.box(row) is not None and self.settings.region == "box"
        return None if has_box else self.detect.name

    def _select_face(self, photo: Image, box: Box | None) -> DetectedFace | None:
        if box is not None and self.settings.region == "box":
            return DetectedFace(box)
        faces = self.detect(photo)
        return largest([face for face in faces if box is None or is_centre_in(face.box, box)])


def find_image_paths(samples: SampleTable) -> list[dict[str, str]]:
    """Return `{modality: path}` of each sample's images, relative to the root.

    Of a URL it is the path in it: `bucket/1.png`.

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


def _make_relative(root: Location, text: str) -> str:
    location = to_location(text) if is_url(text) else Path(text)
    path = Path(location.path) if isinstance(location, Url) else location
    relative = path
    if isinstance(root, Path) and path.is_relative_to(root.absolute()):
        relative = path.relative_to(root.absolute())
    if relative.is_absolute() or ".." in relative.parts:
        raise DataError(f"{location}: leads out of {root}, so its crop would lie outside the folder of crops")
    return relative.as_posix()
