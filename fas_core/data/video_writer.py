"""Writing video files, MPEG-4 in `.mp4`, which FFmpeg in OpenCV's wheels can always write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from fas_core.atomic import replacing
from fas_core.data.images import Image
from fas_core.data.video import named_for_ffmpeg, opened
from fas_core.errors import DataError, FasError

VIDEO_SUFFIX = ".mp4"
CODEC = cv2.VideoWriter.fourcc(*"mp4v")

DEFAULT_RATE = 25.0
"""Frames a second, where the rate is not known."""
MIN_RATE, MAX_RATE = 0.01, 240.0
"""Others cannot be written in hundredths, or are a mistake of the source."""


@contextmanager
def writing_video(path: Path, rate: float, width: int, height: int) -> Iterator[Callable[[Image], None]]:
    """Yield a function that adds a frame (height, width, 3) RGB; the file appears when all are written.

    Where the block fails there is no file, or the former one. `rate` is in frames a second, 0 where it is not
    known. An odd side loses its last pixel: MPEG-4 halves the resolution of colours. A frame of another size
    is resized.

    Raises:
        FasError: the file cannot be written.
    """
    rate = min(max(round(rate or DEFAULT_RATE, 2), MIN_RATE), MAX_RATE)
    size, count = (width - width % 2, height - height % 2), 0
    with replacing(path, durable=False) as temporary:
        with named_for_ffmpeg(temporary) as name:
            writer = cv2.VideoWriter(name, cv2.CAP_FFMPEG, CODEC, rate, size)

        def write(image: Image) -> None:
            nonlocal count
            if image.shape[1::-1] == (width, height):
                image = image[: size[1], : size[0]]
            else:
                image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
            writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            count += 1

        try:
            yield write
        finally:
            writer.release()
        if _count_frames(temporary) != count:  # OpenCV does not say when the disk is full
            raise FasError(f"{path}: cannot be written: is the disk full?")


def _count_frames(path: Path) -> int:
    """Return the number of frames that a video says it has; 0 where it cannot be opened."""
    try:
        with opened(path) as capture:
            return int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    except DataError:
        return 0
