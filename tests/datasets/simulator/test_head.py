import numpy as np
import pytest

from fas_plugins.datasets.simulator.head import Head, build_head
from fas_plugins.datasets.simulator.identity import Identity, sample_identity
from fas_plugins.datasets.simulator.noise import make_generator

SIZE = 96


@pytest.fixture
def person() -> Identity:
    return sample_identity(make_generator(1), "medium")


@pytest.fixture
def head(person: Identity) -> Head:
    return build_head(person, make_generator(2), SIZE)


def test_arrays_have_the_documented_shapes_and_ranges(head: Head) -> None:
    surface = head.surface
    assert surface.color.shape == (SIZE, SIZE, 3)
    for image in (surface.height, surface.ir, surface.gloss, surface.cover):
        assert image.shape == (SIZE, SIZE)
    assert 0 < surface.color.min() <= surface.color.max() < 1
    assert 0 < surface.ir.min() <= surface.ir.max() < 1
    assert surface.glow is None


def test_the_nose_is_nearest_and_the_corners_are_background(head: Head) -> None:
    row, column = np.unravel_index(head.surface.height.argmax(), (SIZE, SIZE))
    assert abs(column - SIZE / 2) < 3
    assert SIZE / 2 < row < SIZE * 0.65
    assert head.surface.cover[0, 0] == 0
    assert head.surface.cover[SIZE // 2, SIZE // 2] == pytest.approx(1)


def test_cheeks_have_the_reflectance_of_the_skin(head: Head, person: Identity) -> None:
    cheek = head.surface.color[50:56, 34:40].mean((0, 1))
    assert cheek == pytest.approx(person.skin, rel=0.1)


def test_pupils_are_darker_than_the_eyes(head: Head) -> None:
    regions, brightness = head.regions, head.surface.color.mean(-1)
    white = (regions.eyes > 0.9) & (regions.irises < 0.1)
    assert brightness[regions.pupils > 0.9].mean() < brightness[white].mean() / 4


def test_the_generator_only_draws_texture(head: Head, person: Identity) -> None:
    other = build_head(person, make_generator(3), SIZE)
    np.testing.assert_array_equal(other.surface.height, head.surface.height)
    assert not np.array_equal(other.surface.color, head.surface.color)
