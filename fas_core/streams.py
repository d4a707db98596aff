"""The stream of results, apart from what anything else in the process writes to stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


@contextmanager
def duplicate_stdout(stdout: TextIO) -> Iterator[TextIO]:
    """Yield a stream to where `stdout` leads; meanwhile the file descriptor 1 leads to stderr.

    A stream without that descriptor, such as a notebook's or a test's, is yielded itself.
    """
    stdout.flush()
    try:
        descriptors = stdout.fileno(), sys.stderr.fileno()
    except (OSError, ValueError):
        descriptors = (-1, -1)
    if descriptors != (1, 2):
        yield stdout
        return
    stream = os.fdopen(os.dup(1), "w", encoding=stdout.encoding, errors=stdout.errors)
    os.dup2(2, 1)
    try:
        yield stream
    finally:
        stdout.flush()  # of those that kept the stream itself
        _flush_c_streams()
        os.dup2(stream.fileno(), 1)
        with suppress(BrokenPipeError):  # `fas ... | head`: the reader has closed the pipe
            stream.close()


def _flush_c_streams() -> None:
    """Write out what C code has printed and the C library still holds."""
    with suppress(ImportError, OSError, AttributeError, TypeError):  # no such library on Windows
        import ctypes

        ctypes.CDLL(None).fflush(None)
