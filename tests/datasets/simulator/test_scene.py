import numpy as np
import pytest

from fas_plugins.datasets.simulator.noise import make_generator
from fas_plugins.datasets.simulator.scene import (
    compute_exposure_gain,
    render_view,
    sample_head_pose,
    sample_sheet_pose,
)
from fas_plugins.datasets.simulator.surface import Pose, Surface


def test_poses_stay_within_their_limits() -> None:
    rng = make_generator(0)
    heads = [sample_head_pose(rng) for _ in range(500)]
    sheets = [sample_sheet_pose(rng) for _ in range(500)]
    assert max(abs(pose.yaw) for pose in heads) == pytest.approx(0.26)
    assert max(abs(pose.yaw) for pose in sheets) == pytest.approx(0.4)
    assert max(abs(pose.pitch) for pose in heads) == pytest.approx(0.18)
    assert all(0.92 <= pose.scale <= 1.1 for pose in [*heads, *sheets])


def test_the_gain_brings_the_middle_to_the_level() -> None:
    image = np.zeros((8, 8, 3))
    image[2:-2, 2:-2] = 0.4
    assert compute_exposure_gain(image, 0.2) == pytest.approx(0.5)
    assert compute_exposure_gain(image * 0, 0.2) == pytest.approx(20)


def test_the_background_fills_what_the_surface_does_not_cover() -> None:
    plane = np.zeros((64, 64), np.float32)
    cover = plane.copy()
    cover[:, :32] = 1
    black = Surface(plane, np.zeros((64, 64, 3), np.float32), plane, plane, cover)
    view = render_view(black, Pose(), 48, make_generator(1))
    assert view.rgb.shape == (48, 48, 3)
    assert view.rgb[:, :20].max() == 0
    assert view.rgb[:, 28:].min() > 0
    assert view.ir[:, :20].max() == 0
