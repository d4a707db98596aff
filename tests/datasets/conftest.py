"""Fixtures of several tests: text files and empty images in documented layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]
Touch = Callable[..., None]


@pytest.fixture
def write() -> Write:
    """`write(path, *lines, end="\\n")` writes a text file and creates its folders."""

    def write(path: Path, *lines: str, end: str = "\n") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(f"{line}{end}" for line in lines).encode())
        return path

    return write


@pytest.fixture
def touch() -> Touch:
    """`touch(folder, *names)` creates empty files, which readers never open."""

    def touch(folder: Path, *names: str) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()

    return touch
