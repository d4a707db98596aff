"""Image files to uint8 RGB arrays, and the one rule that makes them a model's input for judging."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fas_core.atomic import replacing
from fas_core.data.image_size import FORMATS, pixel_size
from fas_core.data.text_lists import is_image
from fas_core.errors import DataError
from fas_core.records.model_input import Resize

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]

MAX_PIXELS = 64_000_000
"""Larger images are refused before they are decoded: a file of a few kB can hold gigabytes of pixels."""

# Images are read in parallel already; OpenCV's own threads would fight for the same cores, and a
# forked loader worker can hang on locks that they held.
cv2.setNumThreads(0)
# What it would print of a bad file, our error says.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_bytes(path: Path) -> bytes:
    """Content of a file.

    Raises:
        DataError: it is missing, unreadable or empty.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such image: check the list and the data set's root") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if not data:
        raise DataError(f"{path}: the image is empty (0 bytes): copy it again")
    return data


def read_image(path: Path) -> Image:
    """An image file as (H, W, 3) RGB; see `decode`.

    Raises:
        DataError: the file is missing, cut off or not an image.
    """
    return decode(read_bytes(path), path)


def decode(data: bytes, path: Path) -> Image:
    """An encoded image as (H, W, 3) RGB, turned upright as its EXIF says.

    Grey images get three equal channels and an alpha channel is dropped. 16-bit colour is divided by
    257. 16-bit grey is taken for depth or infrared counts, which fill only a part of that range: 0
    (nothing measured) stays 0, and the other values are stretched linearly to 1..255. Of an animation
    it is the first frame, of several pages the first.

    Args:
        data: content of the file.
        path: where it comes from, for messages.

    Raises:
        DataError: the data is cut off or not an image, or it would have more than `MAX_PIXELS`.
    """
    size = pixel_size(data)
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        raise DataError(
            f"{path}: {size[0]} x {size[1]} pixels, more than the {MAX_PIXELS // 10**6} million "
            "that are read: scale it down"
        )
    if _is_cut_off(data):
        raise DataError(f"{path}: the image is cut off after {len(data)} bytes: copy it again")
    if size is None:
        raise DataError(f"{path}: cannot be decoded: not a {FORMATS} image, or damaged")
    buffer = np.frombuffer(data, np.uint8)
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:  # e.g. a header that promises more pixels than OpenCV takes
        image = None
    if image is None:
        raise DataError(f"{path}: cannot be decoded: not an image of 8 or 16 bits a channel, or damaged")
    if image.dtype == np.uint16:
        image = _eight_bit(image)
    if image.dtype != np.uint8:
        raise DataError(f"{path}: {image.dtype} pixels: save it with 8 or 16 bits a channel")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


def as_image(pixels: NDArray[Any], where: str) -> Image:
    """An array as a file with the same pixels would be read: (H, W, 3) RGB.

    Args:
        pixels: uint8 or uint16, (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA.
        where: what it is, for messages.

    Raises:
        DataError: it is another kind of array, or empty.
    """
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (2, 3) or not pixels.size:
        raise DataError(f"{where}: {pixels.dtype} {pixels.shape}: give uint8 (height, width, 3), RGB")
    layers = pixels.shape[2] if pixels.ndim == 3 else 1
    if layers not in (1, 3, 4):
        raise DataError(f"{where}: {layers} channels: give 3 (RGB), 1 or 4")
    image = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2) if layers == 1 else pixels[..., :3]
    return np.ascontiguousarray(_eight_bit(image) if image.dtype == np.uint16 else image)


def _eight_bit(image: NDArray[Any]) -> Image:
    grey = image[..., 0]
    if (image != grey[..., None]).any():
        return np.asarray(np.round(image / 257), np.uint8)
    measured = grey[grey > 0]
    if not len(measured):
        return np.zeros(image.shape, np.uint8)
    low, high = int(measured.min()), int(measured.max())
    stretched = 1 + np.round((grey.astype(np.float32) - low) * (254 / max(high - low, 1)))
    return np.repeat(np.where(grey > 0, stretched, 0).astype(np.uint8)[..., None], 3, axis=-1)


def _is_cut_off(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end; the decoders fill the rest with grey and say nothing."""
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data
    if data.startswith(b"\xff\xd8"):
        return data.find(b"\xff\xd9", _start_of_scan(data)) < 0
    return False


def _start_of_scan(data: bytes) -> int:
    """Where a JPEG's pixels begin: past the header segments, which may hold a whole thumbnail."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return place


def cut(image: Image, box: Box) -> Image:
    """The part of an image inside x, y, w, h (pixels), clipped to the image; at least one pixel."""
    height, width = image.shape[:2]
    x, y, w, h = box
    left, top = (min(max(round(start), 0), end - 1) for start, end in ((x, width), (y, height)))
    right, bottom = min(max(round(x + w), left + 1), width), min(max(round(y + h), top + 1), height)
    return image[top:bottom, left:right]


def meets(box: Box, shape: tuple[int, ...]) -> bool:
    """Whether any of a box lies inside an image of `shape` (H, W, ...)."""
    x, y, w, h = box
    return x < shape[1] and y < shape[0] and x + w > 0 and y + h > 0


def scaled(box: Box, source: tuple[int, ...], target: tuple[int, ...]) -> Box:
    """A box in pixels of an image of shape `source`, in pixels of one of shape `target` (H, W, ...)."""
    down, across = target[0] / source[0], target[1] / source[1]
    return box[0] * across, box[1] * down, box[2] * across, box[3] * down


def resized(image: Image, size: int) -> Image:
    """(size, size, 3): areas averaged when it shrinks, bilinear when it grows; itself when it fits."""
    if image.shape[:2] == (size, size):
        return image
    shrinks = min(image.shape[:2]) >= size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (size, size), interpolation=method))


def prepare(face: Image, size: int, resize: Resize) -> Image:
    """Apply the evaluation rule: take the central square of a face image, and resize it.

    Args:
        face: (H, W, 3).
        size: side of the result.
        resize: says what fraction of the shorter side the square has.

    Returns:
        (size, size, 3).
    """
    height, width = face.shape[:2]
    side = max(round(min(height, width) * resize.crop), 1)
    top, left = (height - side) // 2, (width - side) // 2
    return resized(face[top : top + side, left : left + side], size)


def encode(image: Image, suffix: str) -> bytes:
    """An RGB image as the content of a file: JPEG at quality 95 and full colour resolution, else lossless."""
    options: list[Any] = []
    if suffix.lower() in (".jpg", ".jpeg"):
        options = [cv2.IMWRITE_JPEG_QUALITY, 95]
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, buffer = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return bytes(buffer)


def write_image(path: Path, image: Image) -> None:
    """Write an RGB image in the format that the name says, whole or not at all.

    Raises:
        DataError: the name is not an image's.
        FasError: it cannot be written.
    """
    if not is_image(path.name):
        raise DataError(f"{path}: name an image file, e.g. {path.stem}.png")
    with replacing(path) as temporary:
        temporary.write_bytes(encode(image, path.suffix))
