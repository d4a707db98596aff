import numpy as np
import pytest
from attrs import asdict

from fas_plugins.datasets.simulator.face_regions import (
    FaceRegions,
    build_regions,
    ellipse_mask,
    face_dome,
    gaussian_bump,
    soft_step,
)
from fas_plugins.datasets.simulator.identity import Identity, sample_identity
from fas_plugins.datasets.simulator.noise import make_generator
from fas_plugins.datasets.simulator.surface import SURFACE_EXTENT, pixel_grid

X, Y = pixel_grid(160, SURFACE_EXTENT)


@pytest.fixture
def person() -> Identity:
    return sample_identity(make_generator(3), "light")


@pytest.fixture
def regions(person: Identity) -> FaceRegions:
    return build_regions(person, X, Y)


def test_soft_step_is_smoothstep() -> None:
    values = np.array([-1, -0.5, 0, 0.5, 1], np.float32)
    np.testing.assert_allclose(soft_step(values, 1), [0, 0.15625, 0.5, 0.84375, 1])


def test_bump_and_ellipse_are_highest_at_their_centre() -> None:
    x, y = np.array([0.2, 0.5]), np.array([0.1, 0.1])
    assert gaussian_bump(x, y, (0.2, 0.1), (0.3, 1.0)) == pytest.approx([1, np.exp(-1)])
    assert ellipse_mask(x, y, (0.2, 0.1), (0.1, 0.1)).tolist() == [1, 0]


def test_dome_is_one_in_the_middle_and_negative_outside(person: Identity) -> None:
    x, y = np.array([0.0, 0.0, 1.5]), np.array([0.0, person.chin, 0.0])
    dome = face_dome(person, x, y)
    assert dome[:2] == pytest.approx([1, 0])
    assert dome[2] < 0


def test_masks_are_symmetrical_and_between_zero_and_one(regions: FaceRegions) -> None:
    for name, mask in asdict(regions).items():
        assert 0 <= mask.min() <= mask.max() <= 1, name
        np.testing.assert_allclose(mask, mask[:, ::-1], atol=1e-5, err_msg=name)


def test_eyes_are_above_the_mouth_and_inside_the_face(regions: FaceRegions) -> None:
    masks = (regions.brows, regions.eyes, regions.lips, regions.shirt)
    rows = [float(np.average(Y, weights=mask)) for mask in masks]
    assert rows == sorted(rows)
    assert regions.oval[regions.eyes > 0.5].min() > 0.99
    assert regions.eye_holes[regions.eyes > 0.5].min() > 0.99
