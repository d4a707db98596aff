"""Image files as uint8 RGB arrays: decoding, boxes, resizing, the evaluation rule, writing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fas_core.data.bit_depth import Image, Pixels, divide_by_257, is_grey, to_uint8
from fas_core.data.damage import is_truncated, is_zeroed
from fas_core.data.decoding_cost import find_excess
from fas_core.data.file_formats import RAW_SUFFIXES, FileKind, identify_format
from fas_core.data.files import MAX_BYTES, open_file
from fas_core.data.image_size import FORMATS, Size, has_16_bits, pixel_size
from fas_core.data.remote_files import read_remote
from fas_core.data.text_lists import is_image
from fas_core.errors import DataError
from fas_core.library_settings import MAX_PIXELS
from fas_core.records.model_input import Resize
from fas_core.urls import Location, Url

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Box", "Image", "Pixels", "as_image", "as_pixels", "box_overlaps"]
__all__ += ["clip_box", "crop", "decode", "decode_pixels", "encode", "prepare", "read_bytes", "read_image"]
__all__ += ["read_pixels", "resize_square", "scale_box", "to_uint8", "write_image"]

Box = tuple[float, float, float, float]
"""x, y, w, h in pixels."""

FULL_COLOUR = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
LOSSLESS_SUFFIXES = (".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".ppm", ".pnm")
WRITABLE_SUFFIXES = (*JPEG_SUFFIXES, *LOSSLESS_SUFFIXES)
"""Of the formats that `encode` writes as such."""
JPEG_OPTIONS = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, FULL_COLOUR]

DECODING = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2}
DECODING |= {4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
"""OpenCV's flags by how many times smaller than the file's an image's sides are."""

# Images are read in parallel already; OpenCV's own threads would fight for the same cores, and a
# forked loader worker can hang on locks that they held.
cv2.setNumThreads(0)
# Its warnings about a damaged file would repeat our error.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_bytes(path: Location) -> bytes:
    """Read an image file; a DataError says that it is missing, unreadable, empty, too large or no file.

    A FasError says why a URL cannot be read, if it is not that there is no such image.
    """
    try:
        if isinstance(path, Url):
            data = read_remote(path)
            is_too_large = len(data) > MAX_BYTES
        else:
            with open_file(path) as stream:
                is_too_large = os.fstat(stream.fileno()).st_size > MAX_BYTES
                data = b"" if is_too_large else stream.read()
    except FileNotFoundError:
        raise DataError(f"{path}: no such image: check the list and the data set's root") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if is_too_large:
        raise DataError(f"{path}: more than {MAX_BYTES // 2**20} MB: no image is that large")
    if not data:
        raise DataError(f"{path}: the image is empty (0 bytes): copy it again")
    return data


def read_image(path: Location) -> Image:
    """Read an image file as (H, W, 3) RGB; raises as `read_bytes` and `decode`."""
    return decode(read_bytes(path), path)


def read_pixels(path: Location) -> Pixels:
    """Read an image file of which a region is cropped by `crop`; raises as `read_bytes` and `decode`."""
    return decode_pixels(read_bytes(path), path)


def decode(data: bytes, path: Location) -> Image:
    """Decode an image to (H, W, 3) RGB: as `decode_pixels`, then `to_uint8` over the whole image."""
    return to_uint8(decode_pixels(data, path))


def decode_pixels(data: bytes, path: Location, reduction: int = 1) -> Pixels:
    """Decode an image to (H, W, 3) RGB, turned upright as its EXIF orientation says.

    Grey images get three equal channels; an alpha channel is dropped. 16-bit colour is divided by 257. 16-bit
    grey keeps its counts, for `to_uint8`. An animation gives its first frame, a document its first page.
    `path` is for messages. By a `reduction` of 2, 4 or 8 the sides are so many times smaller, rounded up; see
    `fas_core.data.reduced_decoding`.

    Raises:
        DataError: the data is truncated, damaged or not an image; or the image has more than `MAX_PIXELS`,
            more than half of them with 16 bits a channel, or costs far more work than its pixels.
    """
    size = pixel_size(data)
    if size is not None:
        _check_size(size, has_16_bits(data), path)
    if is_truncated(data):
        raise DataError(f"{path}: the image is cut off after {len(data)} bytes: copy it again")
    if size is None or path.suffix.lower() in RAW_SUFFIXES:
        raise DataError(f"{path}: cannot be decoded: {_describe_format(data, path.suffix)}")
    if is_zeroed(data):
        raise DataError(f"{path}: the image is damaged: zeros instead of pixels in its middle: copy it again")
    if excess := find_excess(data):
        raise DataError(f"{path}: refused: {excess}: save it anew with an image editor")
    image = _decode(data, path, reduction)
    _check_size((image.shape[1], image.shape[0]), image.dtype == np.uint16, path)
    if image.dtype == np.uint16 and not is_grey(image):
        image = divide_by_257(image)
    if image.dtype not in (np.uint8, np.uint16):
        raise DataError(f"{path}: {image.dtype} pixels: save it with 8 or 16 bits a channel")
    pixels: NDArray[Any] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return pixels


def _check_size(size: Size, is_deep: bool, path: Location) -> None:
    limit, kind = (MAX_PIXELS // 2, " of 16 bits a channel") if is_deep else (MAX_PIXELS, "")
    if size[0] * size[1] > limit:
        problem = f"{path}: {size[0]} x {size[1]} pixels{kind}, more than the {limit // 10**6} million"
        raise DataError(f"{problem} that are read: scale it down")


def _decode(data: bytes, path: Location, reduction: int) -> NDArray[Any]:
    """Decode to (H, W, 3) BGR by OpenCV, which checks its own limit of pixels before it decodes any."""
    reason = "not an image of 8 or 16 bits a channel, or damaged"
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), DECODING[reduction] | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        image = None
        if "MAX_IMAGE" in str(error):
            reason = f"its header hides that it has more than {MAX_PIXELS // 10**6} million pixels"
    if image is None:
        raise DataError(f"{path}: cannot be decoded: {reason}")
    return np.asarray(image)


def _describe_format(data: bytes, suffix: str) -> str:
    """Return why an image of an unsupported format cannot be decoded."""
    file_format = identify_format(data)
    if suffix.lower() in RAW_SUFFIXES:
        return "a camera's raw file, which is not supported: save it as JPEG or PNG"
    if file_format.kind is FileKind.UNDECODABLE:
        return f"a {file_format.name} image, which is not supported: save it as JPEG or PNG"
    return f"not a {FORMATS} image, or damaged"


def as_image(pixels: NDArray[Any], where: str) -> Image:
    """Convert an array to (H, W, 3) RGB, as `read_image` would read a file with these pixels.

    Raises as `as_pixels`.
    """
    return to_uint8(as_pixels(pixels, where))


def as_pixels(pixels: NDArray[Any], where: str) -> Pixels:
    """Convert an array as `read_pixels` would read a file with these pixels.

    `pixels` are uint8 or uint16, (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA. `where` is for messages.

    Raises:
        DataError: the array is empty, or of another shape or type.
    """
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (2, 3) or not pixels.size:
        raise DataError(f"{where}: {pixels.dtype} {pixels.shape}: give uint8 (height, width, 3), RGB")
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if channels not in (1, 3, 4):
        raise DataError(f"{where}: {channels} channels: give 3 (RGB), 1 or 4")
    image = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2) if channels == 1 else pixels[..., :3]
    if image.dtype == np.uint16 and not is_grey(image):
        image = divide_by_257(image)
    return np.ascontiguousarray(image)


def crop(image: Pixels, box: Box) -> Image:
    """Return the region of an image that `clip_box` says, converted by `to_uint8`."""
    left, top, right, bottom = clip_box(box, image.shape)
    return to_uint8(image[top:bottom, left:right])


def clip_box(box: Box, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom in whole pixels of a box, clipped to an image of `shape` (H, W, ...).

    The last two are exclusive; the region has at least one pixel.
    """
    height, width = shape[:2]
    x, y, w, h = box
    left, top = (min(max(round(start), 0), end - 1) for start, end in ((x, width), (y, height)))
    return left, top, min(max(round(x + w), left + 1), width), min(max(round(y + h), top + 1), height)


def box_overlaps(box: Box, shape: tuple[int, ...]) -> bool:
    """Whether a box lies in an image of `shape` (H, W, ...): its centre does.

    What remains of another box, clipped to the image, is an edge or a corner, and no face.
    """
    x, y, w, h = box
    return 0 <= x + w / 2 < shape[1] and 0 <= y + h / 2 < shape[0]


def scale_box(box: Box, source: tuple[int, ...], target: tuple[int, ...]) -> Box:
    """Scale a box from an image of shape `source` (H, W, ...) to one of shape `target`."""
    vertical, horizontal = target[0] / source[0], target[1] / source[1]
    return box[0] * horizontal, box[1] * vertical, box[2] * horizontal, box[3] * vertical


def resize_square(image: Image, size: int) -> Image:
    """Resize to (size, size, 3): area averages to shrink, bilinear to grow; unchanged when it fits."""
    if image.shape[:2] == (size, size):
        return image
    method = cv2.INTER_AREA if min(image.shape[:2]) >= size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (size, size), interpolation=method))


def prepare(face: Pixels, size: int, resize: Resize) -> Image:
    """Resize a face's central square, `resize.crop` of its shorter side: the evaluation rule, to `size`."""
    face = to_uint8(face)
    height, width = face.shape[:2]
    side = max(round(min(height, width) * resize.crop), 1)
    top, left = (height - side) // 2, (width - side) // 2
    return resize_square(face[top : top + side, left : left + side], size)


def encode(image: Image, suffix: str) -> bytes:
    """Encode an RGB image: JPEG at quality 95 with full colour resolution, other formats lossless.

    Formats that would lose colours, such as GIF or PGM, hold PNG data, which readers recognise.
    """
    suffix = suffix.lower()
    if suffix in JPEG_SUFFIXES:
        form, options = ".jpg", JPEG_OPTIONS
    else:
        form, options = suffix if suffix in LOSSLESS_SUFFIXES else ".png", []
    _, buffer = cv2.imencode(form, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return bytes(buffer)


def write_image(path: Path, image: Image, durable: bool = True) -> None:
    """Write an RGB image atomically, in the format of the file name's suffix; `durable` as in `replacing`.

    Raises:
        FasError: the suffix is not an image's, or the file cannot be written.
    """
    if not is_image(path.name):
        raise DataError(f"{path}: name an image file, e.g. {path.stem}.png")
    from fas_core.atomic import replacing  # slow to import, and most images are read alone

    with replacing(path, durable) as temporary:
        temporary.write_bytes(encode(image, path.suffix))
