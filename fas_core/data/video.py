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

# What FFmpeg would print of a bad file, our error says.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def open_video(video: Path) -> cv2.VideoCapture:
    """The opened video, turned upright as its metadata says.

    Raises:
        DataError: why it cannot be read, without its name.
    """
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        size = video.stat().st_size
        raise DataError("empty (0 bytes)" if not size else "cannot be opened: damaged, cut off or no video")
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def open_camera(index: int) -> cv2.VideoCapture:
    """The camera of that number, from 0.

    Raises:
        DataError: there is none, or another program has it.
    """
    capture = cv2.VideoCapture(index)
    if not capture.isOpened():
        raise DataError("no such camera, or another program uses it")
    return capture


@contextmanager
def opened(source: Path | int) -> Iterator[cv2.VideoCapture]:
    """A video file or a camera for the time of a block; raises as `open_video` and `open_camera`."""
    capture = open_camera(source) if isinstance(source, int) else open_video(source)
    try:
        yield capture
    finally:
        capture.release()


def frames(source: Path | int, every: int = 1, limit: int | None = None) -> Iterator[tuple[int, Image]]:
    """Each `every`-th frame, beginning with the first, and its number from 1; at most `limit` of them.

    Raises:
        DataError: the source cannot be opened, or gives no frame.
    """
    with opened(source) as capture:
        number = given = 0
        while (limit is None or given < limit) and capture.grab():
            number += 1
            if (number - 1) % every:
                continue
            decoded, image = capture.retrieve()
            if not decoded:
                break
            given += 1
            yield number, np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    if not given:
        raise DataError("no frame of it can be decoded" if isinstance(source, Path) else "gives no picture")
