"""Frames of video files and of cameras."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from fas_core.data.images import Image
from fas_core.errors import DataError

# FFmpeg's warnings about a damaged file would repeat our error.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


@contextmanager
def opened(source: Path | int) -> Iterator[cv2.VideoCapture]:
    """Open a video file, turned upright as its metadata says, or the camera of a number from 0.

    Raises:
        DataError: the reason why it cannot be opened, without the source's name.
    """
    is_camera = isinstance(source, int)
    capture = cv2.VideoCapture(source) if is_camera else cv2.VideoCapture(str(source), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise DataError(_explain_failure(source))
        if not is_camera:
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        yield capture
    finally:
        capture.release()


def _explain_failure(source: Path | int) -> str:
    if isinstance(source, int):
        return "no such camera, or another program uses it"
    return "cannot be opened: damaged, cut off or no video" if source.stat().st_size else "empty (0 bytes)"


def frames(source: Path | int, every: int = 1, limit: int | None = None) -> Iterator[tuple[int, Image]]:
    """Yield every `every`-th frame from the first on, and its number from 1; at most `limit` frames.

    Raises:
        DataError: the source cannot be opened, or yields no frame.
    """
    with opened(source) as capture:
        number = count = 0
        while (limit is None or count < limit) and capture.grab():
            number += 1
            if (number - 1) % every:
                continue
            decoded, image = capture.retrieve()
            if not decoded:
                break
            count += 1
            yield number, np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    if not count:
        raise DataError("no frame of it can be decoded" if isinstance(source, Path) else "gives no picture")
