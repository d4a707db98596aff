"""The images of a model that states how they are cropped from a photo (`ScaledCrop`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from fas_core.data.images import Box, Image, Pixels, resize_square, scale_box, to_uint8
from fas_core.errors import DataError
from fas_core.records.model_input import ModelInput, ScaledCrop

Region = tuple[int, int, int, int]
"""left, top, right, bottom in whole pixels, the last two exclusive."""

BORDERS = {"black": cv2.BORDER_CONSTANT, "reflect": cv2.BORDER_REFLECT_101}

MAX_PADDING = 4
"""A region may have this many times the photo's longer side; a face in a corner needs less than twice."""


def crop_inputs(photos: Mapping[str, Pixels], face: Box | None, model_input: ModelInput) -> dict[str, Image]:
    """Return the model's images `{modality: (F, F, 3)}` that can be made from photos of one scene.

    Args:
        photos: `{name: (H, W, 3)}`; their sizes may differ.
        face: x, y, w, h of the face in pixels of the first photo; None: each photo is a region already, and
            is stretched to F x F whole.
        model_input: states `crops`.

    Raises:
        DataError: the box is empty, or too small a part of the photo's edge.
    """
    first = next(iter(photos.values())).shape
    images = {}
    for modality in model_input.modalities:
        if (photo := photos.get(model_input.photo(modality))) is not None:
            box = None if face is None else scale_box(face, first, photo.shape)
            images[modality] = _crop(photo, box, model_input.crops[modality], model_input.face_size)
    return images


def find_region(face: Box, crop: ScaledCrop, shape: tuple[int, ...]) -> Region:
    """Return the region around a face in a photo of `shape` (H, W, ...); it may reach over the edge.

    Coordinates are truncated to whole pixels as in the published programs; of a region that is moved inside,
    the last row and column belong to it.
    """
    if min(face[2:]) <= 0:
        raise DataError(f"box {list(face)} has no area")
    x, y, width, height = face
    if crop.shape == "square":
        x, y = x + width / 2, y + height / 2
        width = height = max(width, height)
        x, y = x - width / 2, y - height / 2
    if crop.border != "inside":
        side = int(width * crop.scale), int(height * crop.scale)
        left, top = int(x + width / 2 - width * crop.scale / 2), int(y + height / 2 - height * crop.scale / 2)
        return left, top, left + side[0], top + side[1]
    right, bottom = shape[1] - 1, shape[0] - 1
    scale = min(crop.scale, right / width, bottom / height)
    left, last = _move_inside(x + width / 2, width * scale, right)
    top, lowest = _move_inside(y + height / 2, height * scale, bottom)
    return left, top, last + 1, lowest + 1


def _move_inside(centre: float, length: float, end: int) -> tuple[int, int]:
    """Return first and last whole coordinate of a stretch inside [0, end]; `length` is at most `end`."""
    start, stop = centre - length / 2, centre + length / 2
    if start < 0:
        start, stop = 0, stop - start
    if stop > end:
        start, stop = start - (stop - end), end
    return int(max(start, 0)), int(stop)


def _crop(photo: Pixels, face: Box | None, crop: ScaledCrop, size: int) -> Image:
    if face is None:
        return stretch(to_uint8(photo), crop, size)
    height, width = photo.shape[:2]
    left, top, right, bottom = find_region(face, crop, photo.shape)
    if max(right - left, bottom - top) > MAX_PADDING * max(height, width):
        raise DataError(
            f"box {list(face)} times {crop.scale:g} is far larger than the photo, {width} x {height}"
        )
    inside = photo[max(top, 0) : bottom, max(left, 0) : right]
    if not inside.size:
        raise DataError(f"box {list(face)} lies outside the image of {width} x {height} pixels")
    padding = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    region: Any = to_uint8(inside)
    if any(padding):
        region = cv2.copyMakeBorder(region, *padding, BORDERS[crop.border])
    return stretch(region, crop, size)


def stretch(region: Image, crop: ScaledCrop, size: int) -> Image:
    """Resize a region to (size, size, 3) by the crop's interpolation; unchanged when it fits."""
    if crop.interpolation == "area":
        return resize_square(region, size)
    return np.asarray(cv2.resize(region, (size, size), interpolation=cv2.INTER_LINEAR))
