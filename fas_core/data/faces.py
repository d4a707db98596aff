"""The crops around detected faces; `detectors` finds the faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, get_args

import cv2
import numpy as np
from attrs import field, frozen
from attrs import validators as v
from numpy.typing import NDArray

from fas_core.data.images import Box, Image, Pixels, crop, resize_square, scale_box, to_uint8
from fas_core.data.remote_files import exists_remote
from fas_core.errors import DataError, FasError
from fas_core.records.detected_face import DetectedFace, Landmarks
from fas_core.urls import Location, Url

TEMPLATE: Landmarks = ((0.316, 0.384), (0.684, 0.384), (0.5, 0.586), (0.348, 0.741), (0.652, 0.741))
"""Landmarks of an upright frontal face in the square around CenterFace's box, as fractions of its side: the
medians over 451 photos of NUAA, made symmetric."""

CROP_LOG = "crops.jsonl"
"""File in a folder of crops that `fas data crop` wrote."""
CROPPED_MARKERS = (CROP_LOG, "simulator.json")
"""A folder with one of these files holds images that are cropped to the face."""

NOT_PHOTOS = ("depth",)
"""Modalities in which faces cannot be detected."""

Region = Literal["box", "landmarks", "aligned"]


@frozen
class CropSettings:
    """How faces are cropped.

    Args:
        detector: name of an installed one, or the path of a model file that one takes, such as YuNet's; None
            for the best one at hand.
        margin: added on each side of the face, as a fraction of its longer side.
        size: side of the crop in pixels.
        region: `box`, a square around the detector's box; `landmarks`, a square of the same size around a
            usual face, placed by the five landmarks, whatever the detector's boxes are like; or `aligned`,
            that square turned so that the eyes are level.
    """

    detector: str | None = None
    margin: float = field(default=0.1, validator=[v.ge(0), v.le(3)])
    size: int = field(default=256, validator=[v.ge(16), v.le(4096)])
    region: Region = field(default="box", validator=v.in_(get_args(Region)))

    @property
    def is_default_region(self) -> bool:
        """Whether margin and region are the default ones."""
        default = CropSettings()
        return (self.margin, self.region) == (default.margin, default.region)

    def replace(
        self, *, detector: str | None = None, margin: float | None = None, align: bool = False
    ) -> CropSettings:
        """Return a copy with those values that are not None; `align`: with aligned crops."""
        return CropSettings(
            self.detector if detector is None else detector,
            self.margin if margin is None else margin,
            self.size,
            "aligned" if align else self.region,
        )


def largest(faces: Sequence[DetectedFace]) -> DetectedFace | None:
    """Return the face with the largest box: the person in front of the camera."""
    return max(faces, key=lambda face: face.box[2] * face.box[3], default=None)


def is_centre_in(box: Box, area: Box) -> bool:
    """Whether the centre of a box lies in an area."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return area[0] <= x < area[0] + area[2] and area[1] <= y < area[1] + area[3]


def is_face_crop(image: Location) -> bool:
    """Whether an image's data set says that its images are cropped to the face.

    It does where a folder above the image holds one of `CROPPED_MARKERS`.

    Raises:
        FasError: the folders above a URL cannot be looked into.
    """
    if isinstance(image, Url):
        try:
            return _holds_crops(image.parent)
        except FasError as error:
            raise FasError(f"{image}: not known whether it is a crop: {error}") from None
    return any((folder / name).is_file() for folder in image.absolute().parents for name in CROPPED_MARKERS)


@lru_cache(4096)
def _holds_crops(folder: Url | None) -> bool:
    """Whether a folder of a URL, or one above it, holds a marker; asked once a process."""
    if folder is None:
        return False
    return any(exists_remote(folder / name) for name in CROPPED_MARKERS) or _holds_crops(folder.parent)


def square_around(face: Box, margin: float, shape: tuple[int, ...]) -> Box:
    """Return a square around a face, inside an image of `shape` (H, W, ...).

    `margin` is added on each side, as a fraction of the face's longer side. A square over the edge is moved
    inside rather than padded: padding would differ between photos taken from near and far, which a model
    would learn. A square larger than the image is shrunk to it.
    """
    height, width = shape[:2]
    x, y, w, h = face
    side = min(max(w, h) * (1 + 2 * margin), height, width)
    left = min(max(x + (w - side) / 2, 0), width - side)
    top = min(max(y + (h - side) / 2, 0), height - side)
    return left, top, side, side


def crop_face(
    photos: Mapping[str, Pixels], face: DetectedFace, settings: CropSettings
) -> tuple[Box, dict[str, Image]]:
    """Return a square around a face and its crops `{modality: (size, size, 3)}` from photos of one scene.

    Face and square are in pixels of the first photo; the sizes (H, W, 3) of the photos may differ. Of an
    aligned crop the square is the upright one with the same centre and side.

    Raises:
        DataError: the region depends on landmarks, and the face has none.
    """
    first = next(iter(photos.values())).shape
    if settings.region == "aligned":
        return _crop_aligned(photos, face, settings)
    if settings.region == "landmarks":
        centre, axis = _fit_template(face)
        side = abs(axis)
        box = (centre.real - side / 2, centre.imag - side / 2, side, side)
        square = square_around(box, settings.margin, first)
    else:
        square = square_around(face.box, settings.margin, first)
    crops = {name: crop(photo, scale_box(square, first, photo.shape)) for name, photo in photos.items()}
    return square, {name: resize_square(image, settings.size) for name, image in crops.items()}


def _crop_aligned(
    photos: Mapping[str, Pixels], face: DetectedFace, settings: CropSettings
) -> tuple[Box, dict[str, Image]]:
    """Crop as `crop_face` by a similarity transform; pixels outside a photo repeat its edge."""
    first = next(iter(photos.values())).shape
    centre, axis = _fit_template(face)
    axis *= 1 + 2 * settings.margin
    half, right = abs(axis) / 2, axis / 2  # `right` leads from the centre to the middle of the right edge
    corners = [centre - right - 1j * right, centre + right - 1j * right, centre - right + 1j * right]
    size = settings.size
    target = np.array([[0, 0], [size, 0], [0, size]], np.float32) - np.float32(0.5)
    crops = {}
    for name, photo in photos.items():
        y_scale, x_scale = photo.shape[0] / first[0], photo.shape[1] / first[1]
        source = np.array([[corner.real * x_scale, corner.imag * y_scale] for corner in corners], np.float32)
        matrix = cv2.getAffineTransform(source - np.float32(0.5), target)
        crops[name] = _warp(photo, matrix, size, abs(axis) * min(x_scale, y_scale) / size)
    return (centre.real - half, centre.imag - half, 2 * half, 2 * half), crops


def _warp(photo: Pixels, matrix: NDArray[Any], size: int, shrinkage: float) -> Image:
    """Apply an affine map; a photo that it shrinks is warped at a multiple of the size, and then averaged."""
    factor = max(round(shrinkage), 1)
    scale = np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2], [0, 0, 1]])
    enlarged = (scale @ np.vstack([matrix, [0, 0, 1]]))[:2]
    sides = (size * factor, size * factor)
    # Between a pixel that is measured and one that is not lies no value.
    method = cv2.INTER_NEAREST if photo.dtype == np.uint16 else cv2.INTER_LINEAR
    warped: Any = cv2.warpAffine(photo, enlarged, sides, flags=method, borderMode=cv2.BORDER_REPLICATE)
    return resize_square(to_uint8(warped), size)


def _fit_template(face: DetectedFace) -> tuple[complex, complex]:
    """Return the centre of the square around an aligned face, and its side as a vector along its upper edge.

    The similarity transform that moves `TEMPLATE` to the landmarks with the least squares of the distances:
    over complex numbers x + iy, `w = a z + b` has `a = sum(conj(z) w) / sum(|z|^2)` for centred z, w.
    """
    if face.landmarks is None:
        raise DataError("the detector finds no landmarks, which this crop needs: `fas models get centerface`")
    points = np.array([complex(*point) for point in face.landmarks])
    template = np.array([complex(*point) for point in TEMPLATE])
    z, w = template - template.mean(), points - points.mean()
    axis = complex((z.conj() * w).sum() / (abs(z) ** 2).sum())
    return complex(points.mean() + axis * (complex(0.5, 0.5) - template.mean())), axis
