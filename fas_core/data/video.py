"""Frames of video files, of cameras, and of streams at a URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from attrs import frozen

from fas_core.atomic import temporary_folder
from fas_core.data.files import open_file
from fas_core.data.images import Image
from fas_core.data.read_ahead import newest, prefetch
from fas_core.errors import DataError
from fas_core.library_settings import MAX_PIXELS
from fas_core.names import to_text

# FFmpeg's warnings about a damaged file would repeat our error.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

TIMEOUT_MS = 15_000
"""To open a stream, and to wait for each frame."""
TIMEOUTS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS]

AHEAD = 4
"""Frames of a file that are decoded before they are asked for."""

Source = Path | int | str
"""A video file, the number of a camera from 0, or a URL."""


@contextmanager
def opened(source: Source) -> Iterator[cv2.VideoCapture]:
    """Open a video file, turned upright as its metadata says, a camera or a stream.

    Raises:
        DataError: the reason why it cannot be opened, without the source's name.
    """
    capture = _open_capture(source)
    try:
        if not capture.isOpened():
            raise DataError(_explain_failure(source))
        if not isinstance(source, int):
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        yield capture
    finally:
        capture.release()


def _open_capture(source: Source) -> cv2.VideoCapture:
    if isinstance(source, int):
        return cv2.VideoCapture(source)
    if isinstance(source, str):
        return cv2.VideoCapture(source, cv2.CAP_FFMPEG, TIMEOUTS)
    _refuse_endless(source)
    with named_for_ffmpeg(source) as path:
        return cv2.VideoCapture(path, cv2.CAP_FFMPEG)


def _refuse_endless(source: Path) -> None:
    """Raise DataError if a file is a pipe or a device, for example, and never ends."""
    try:
        open_file(source).close()
    except OSError:  # it is explained where FFmpeg fails
        pass
    except DataError as error:
        raise DataError(error.message.removeprefix(f"{source}: ")) from None


@contextmanager
def named_for_ffmpeg(file: Path) -> Iterator[str]:
    """Yield a path of a video that FFmpeg takes: a link to it where its name is no UTF-8.

    It is absolute: FFmpeg would take `http:host.mp4` for an address, and contact the host.
    """
    path = file.absolute()
    if str(path) == to_text(str(path)):
        yield str(path)
    else:
        with temporary_folder() as folder:
            link = folder / f"video{file.suffix if file.suffix.isascii() else ''}"
            link.symlink_to(path)
            yield str(link)


def _explain_failure(source: Source) -> str:
    if isinstance(source, int):
        return "no such camera, or another program uses it"
    if isinstance(source, str):
        return "cannot be opened: check the address and the password, and that it is a video stream"
    if not source.is_file():  # e.g. a link to nothing
        return "no such file"
    return "cannot be opened: damaged, cut off or no video" if source.stat().st_size else "empty (0 bytes)"


@frozen(eq=False)
class VideoFrame:
    """A frame of a video, a camera or a stream.

    Args:
        number: from 1; frames that were not taken count.
        image: (H, W, 3) RGB.
        rate: frames a second of the source; 0 where it does not say.
        is_live: whether it is a picture of now: a camera's, or of a stream that has no length.
    """

    number: int
    image: Image
    rate: float
    is_live: bool


def frames(source: Source, every: int = 1, limit: int | None = None) -> Iterator[VideoFrame]:
    """Yield every `every`-th frame from the first on, at most `limit` frames; a thread decodes ahead.

    What is live does not wait: of the frames that come while the caller is busy the newest is kept.

    Raises:
        DataError: the source cannot be opened, or yields no frame or too large a one.
    """
    with opened(source) as capture:
        is_live = isinstance(source, int) or (
            isinstance(source, str) and capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0
        )
        decoded = _decode(capture, source, every, None if is_live else limit, is_live)
        with closing(newest(decoded) if is_live else prefetch(decoded, AHEAD)) as taken:
            yield from islice(taken, limit)


def _decode(
    capture: cv2.VideoCapture, source: Source, every: int, limit: int | None, is_live: bool
) -> Iterator[VideoFrame]:
    rate = capture.get(cv2.CAP_PROP_FPS)
    number = count = 0
    while (limit is None or count < limit) and capture.grab():
        number += 1
        if (number - 1) % every:
            continue
        _check_size(capture)
        is_decoded, image = capture.retrieve()
        if not is_decoded:
            break
        count += 1
        pixels = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        yield VideoFrame(number, pixels, rate if rate > 0 else 0.0, is_live)  # -1 or NaN: not known
    if not count:
        raise DataError("no frame of it can be decoded" if isinstance(source, Path) else "gives no picture")


def _check_size(capture: cv2.VideoCapture) -> None:
    """Refuse a frame that is too large before its colours are converted."""
    width, height = (int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > MAX_PIXELS:
        limit = f"the {MAX_PIXELS // 10**6} million that are read"
        raise DataError(f"frames of {width} x {height} pixels, more than {limit}: scale the video down")
