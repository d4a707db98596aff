"""Annotated copies of videos, each written while its frames are scored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from attrs import define, field

from fas_core.data.images import Image
from fas_core.runtime.inputs import Frame


@define(eq=False)
class VideoCopies:
    """Writes frames of one video after the other, as a context manager.

    A copy appears when all its frames are written: when those of the next video come, or the block ends. A
    block that fails leaves no part of a copy.
    """

    _path: Path | None = field(default=None, init=False)
    _write: Callable[[Image], None] | None = field(default=None, init=False)
    _open: ExitStack = field(factory=ExitStack, init=False)

    def add(self, path: Path, frame: Frame, image: Image) -> None:
        """Write the next frame (H, W, 3) of the copy at `path`; it plays as fast as the source.

        Raises:
            FasError: a copy cannot be written.
        """
        from fas_core.data.video_writer import writing_video  # slow to import, and images need none

        if self._write is None or path != self._path:
            self._open.close()
            rate = frame.rate / frame.video.every
            copy = writing_video(path, rate, image.shape[1], image.shape[0])
            self._path, self._write = path, self._open.enter_context(copy)
        self._write(image)

    def __enter__(self) -> VideoCopies:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
