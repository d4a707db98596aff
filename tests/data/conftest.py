"""Small images and trees of them, and a drawn face that OpenCV's cascade finds."""

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


def draw_face(image: Image, x: int, y: int, size: int) -> None:
    """A cartoon of a face around a centre, half its height being `size`."""

    def spot(dx: float, dy: float, w: float, h: float, colour: tuple[int, int, int]) -> None:
        centre = (x + int(dx * size), y + int(dy * size))
        cv2.ellipse(image, centre, (int(w * size), int(h * size)), 0, 0, 360, colour, -1)

    spot(0, 0, 0.75, 1, (200, 170, 150))
    for side in (-0.32, 0.32):
        spot(side, -0.2, 0.17, 0.09, (50, 40, 40))
        spot(side, -0.38, 0.22, 0.05, (90, 70, 60))
    spot(0, 0.15, 0.12, 0.06, (150, 120, 110))
    spot(0, 0.45, 0.3, 0.08, (120, 60, 60))


def photo_with(*faces: tuple[int, int, int], shape: tuple[int, int] = (240, 320)) -> Image:
    """A grey photo with faces drawn at (x, y, size)."""
    image = np.full((*shape, 3), 120, np.uint8)
    for face in faces:
        draw_face(image, *face)
    return np.asarray(cv2.GaussianBlur(image, (7, 7), 2), np.uint8)


def save(path: Path, image: Image) -> Path:
    """Write an RGB image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


@pytest.fixture(name="photo_with")
def photo_with_fixture() -> Callable[..., Image]:
    return photo_with


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
