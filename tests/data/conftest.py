"""Small images and trees of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core.data.samples import SampleTable

Image = NDArray[np.uint8]
Make = Callable[..., SampleTable]


def save(path: Path, image: Image) -> Path:
    """Write an RGB image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


@pytest.fixture(name="save")
def save_fixture() -> Callable[[Path, Image], Path]:
    return save


@pytest.fixture
def noise() -> Image:
    """(40, 60, 3) of pixels that are all different from their neighbours'."""
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@pytest.fixture
def make_samples(tmp_path: Path) -> Make:
    """`make_samples(count, modalities=("rgb",), sides=(32,), box=None)`: a table with its images as PNG.

    Odd rows are live; image `row` of modality m has the grey level 10 * row + m.
    """

    def make(
        count: int,
        modalities: tuple[str, ...] = ("rgb",),
        sides: tuple[int, ...] = (32, 24, 24),
        **columns: list[object],
    ) -> SampleTable:
        paths: dict[str, list[str]] = {}
        for place, modality in enumerate(modalities):
            names = [f"{modality}/{row}.png" for row in range(count)]
            for row, name in enumerate(names):
                save(tmp_path / name, np.full((sides[place], sides[place], 3), 10 * row + place, np.uint8))
            paths[modality] = names
        known = {"id": [str(row) for row in range(count)], "label": [row % 2 for row in range(count)]}
        return SampleTable.of({**known, **paths, **columns}, modalities=modalities, root=tmp_path)

    return make
