"""What tests of several readers share: text files and empty images in the documented layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]
Touch = Callable[..., None]


@pytest.fixture
def write() -> Write:
    """`write(path, *lines, end="\\n")`: a text file, its folders made."""

    def make(path: Path, *lines: str, end: str = "\n") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(f"{line}{end}" for line in lines).encode())
        return path

    return make


@pytest.fixture
def touch() -> Touch:
    """`touch(folder, *names)`: empty files, which readers never open."""

    def make(folder: Path, *names: str) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()

    return make
