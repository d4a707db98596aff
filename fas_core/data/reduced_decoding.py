"""Training crops of JPEGs that are decoded no larger than the crops need.

A JPEG stores blocks of 8 x 8 pixels as frequencies. libjpeg can leave the high ones out and compute 4 x 4,
2 x 2 or 1 x 1 pixels of each block. A pixel of the reduced image stands for a square of the whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from fas_core.data.augment import crop_region
from fas_core.data.image_size import JPEG_START, START_OF_FRAME, jpeg_segments, pixel_size, turn_upright
from fas_core.data.images import Box, Image, Pixels, clip_box, crop, decode_pixels, read_bytes, scale_box
from fas_core.data.reading import locate_box
from fas_core.errors import DataError
from fas_core.records.crop_region import CropRegion
from fas_core.records.samples import SampleTable
from fas_core.urls import Location

REDUCTIONS = (8, 4, 2)

MARGIN = 2
"""A reduced crop has at least so many times the side of the network's input: with less, averaging a second
time blurs it, see docs/training-speed.md."""

SCALABLE_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
"""Markers of frames of frequencies; lossless JPEGs have none."""


@frozen(eq=False)
class Photo:
    """An image file whose size is known before it is decoded, where it is a JPEG; others are decoded.

    Args:
        shape: height and width in pixels, upright as its EXIF orientation says.
        pixels: None where the file is to be decoded at the scale that its crop needs.
    """

    path: Location
    data: bytes
    shape: tuple[int, ...]
    pixels: Pixels | None

    @classmethod
    def read(cls, path: Location) -> Photo:
        """Read a file; raises as `read_bytes`, and as `decode_pixels` what is decoded at once."""
        data = read_bytes(path)
        size = pixel_size(data)
        if size is not None and _is_scalable(data):
            return cls(path, data, turn_upright(size, data), None)
        pixels = decode_pixels(data, path)
        return cls(path, b"", pixels.shape, pixels)

    def crop(self, box: Box, reduction: int) -> Image:
        """Return the region in a box in pixels of the whole image, its sides `reduction` times smaller.

        Raises:
            DataError: as `decode_pixels`, or the pixels are not of the size that the header says.
        """
        if self.pixels is not None:
            return crop(self.pixels, box)
        pixels = decode_pixels(self.data, self.path, reduction)
        if pixels.shape[:2] != tuple(-(-side // reduction) for side in self.shape[:2]):
            size = f"{self.shape[1]} x {self.shape[0]} pixels"
            raise DataError(f"{self.path}: its header says {size}, and its frame another size: save it anew")
        x, y, w, h = box
        return crop(pixels, (x / reduction, y / reduction, w / reduction, h / reduction))

    def choose_reduction(self, side: float, size: int) -> int:
        """Return the largest reduction at which a crop whose shorter side is `side` has `MARGIN * size`."""
        if self.pixels is not None:
            return 1
        return next((number for number in REDUCTIONS if side >= number * MARGIN * size), 1)


def read_reduced_crops(
    samples: SampleTable,
    row: int,
    modalities: Sequence[str],
    size: int,
    draw: Callable[[int, int], CropRegion],
) -> dict[str, Image]:
    """Read the random crops of one sample's faces, `{modality: (size, size, 3)}`.

    `draw` returns the crop of a face of some height and width, in pixels of the first modality's whole image.

    Raises:
        DataError: an image cannot be read, or the box lies outside it.
    """
    photos = {name: Photo.read(samples.path(row, name)) for name in modalities}
    located = locate_box(samples, row, photos)
    faces = {name: _locate_face(photo.shape, located) for name, photo in photos.items()}
    _, _, width, height = faces[modalities[0]]
    region = draw(height, width)
    crops = {}
    for name, photo in photos.items():
        _, _, width, height = faces[name]
        reduction = photo.choose_reduction(min(region.w * width, region.h * height), size)
        crops[name] = crop_region(photo.crop(faces[name], reduction), region, size)
    return crops


def _locate_face(
    shape: tuple[int, ...], located: tuple[Box, tuple[int, ...]] | None
) -> tuple[int, int, int, int]:
    """Return x, y, w, h of the face in whole pixels of an image of `shape`, the whole image without a box."""
    box = (0, 0, shape[1], shape[0]) if located is None else scale_box(*located, shape)
    left, top, right, bottom = clip_box(box, shape)
    return left, top, right - left, bottom - top


def _is_scalable(data: bytes) -> bool:
    if not data.startswith(JPEG_START):
        return False
    frames = (marker for marker, _, _ in jpeg_segments(data) if marker in START_OF_FRAME)
    return next(frames, None) in SCALABLE_FRAMES
