"""Fixtures of several tests: text files and empty images in documented layouts, and a simulated data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_plugins.datasets.simulator.dataset_files import write_dataset
from fas_plugins.datasets.simulator.options import SyntheticOptions

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


@pytest.fixture(scope="session")
def small() -> SyntheticOptions:
    """Options of the smallest simulated data set: 72 captures."""
    return SyntheticOptions(subjects=9, shots=1, size=48)


@pytest.fixture(scope="session")
def simulated(small: SyntheticOptions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the smallest simulated data set."""
    root = tmp_path_factory.mktemp("simulated") / "data"
    write_dataset(root, small, workers=2)
    return root
