import numpy as np
import pytest
from attrs import evolve

from fas_plugins.datasets.simulator.surface import (
    CAMERA_EXTENT,
    PIVOT,
    SURFACE_EXTENT,
    Pose,
    Surface,
    apply_pose,
    overlay,
    pixel_grid,
)

SIZE = 64


@pytest.fixture
def sheet() -> Surface:
    """A flat sheet at the pivot's height whose infrared reflectance rises from left to right."""
    x, _ = pixel_grid(SIZE, SURFACE_EXTENT)
    return Surface(
        height=np.full((SIZE, SIZE), PIVOT, np.float32),
        color=np.full((SIZE, SIZE, 3), 0.5, np.float32),
        ir=(x + SURFACE_EXTENT) / (2 * SURFACE_EXTENT),
        gloss=np.zeros((SIZE, SIZE), np.float32),
        cover=np.ones((SIZE, SIZE), np.float32),
    )


def test_the_grid_has_the_pixel_centres_and_is_read_only() -> None:
    x, y = pixel_grid(4, 2.0)
    assert x[0].tolist() == y[:, 0].tolist() == [-1.5, -0.5, 0.5, 1.5]
    with pytest.raises(ValueError, match="read-only"):
        x[0, 0] = 1


def test_the_identity_pose_crops_to_the_camera(sheet: Surface) -> None:
    posed = apply_pose(sheet, Pose(), 48)
    x, _ = pixel_grid(48, CAMERA_EXTENT)
    np.testing.assert_allclose(posed.ir, (x + SURFACE_EXTENT) / (2 * SURFACE_EXTENT), atol=1e-3)
    np.testing.assert_allclose(posed.height, 0, atol=1e-4)


def test_yaw_tilts_a_sheet_by_its_angle(sheet: Surface) -> None:
    """The depth of a plane turned by `yaw` changes with its tangent, 100 mm per unit."""
    posed = apply_pose(sheet, Pose(yaw=0.3), 48)
    x, _ = pixel_grid(48, CAMERA_EXTENT)
    np.testing.assert_allclose(posed.height, -x * np.tan(0.3) * 100, atol=0.1)


def test_offset_and_roll_move_the_pattern(sheet: Surface) -> None:
    still, moved = apply_pose(sheet, Pose(), 48), apply_pose(sheet, Pose(right=0.1), 48)
    assert (still.ir - moved.ir)[24, 24] == pytest.approx(0.1 / (2 * SURFACE_EXTENT), abs=1e-3)
    rolled = apply_pose(sheet, Pose(roll=np.pi / 2), 48)
    np.testing.assert_allclose(rolled.ir, still.ir.T, atol=1e-3)


def test_overlay_takes_the_front_inside_the_mask_and_the_higher_of_both(sheet: Surface) -> None:
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[:, : SIZE // 2] = 1
    back = evolve(sheet, height=sheet.height.copy(), ir=np.zeros_like(sheet.ir), color=sheet.color * 0)
    back.height[0] += 10
    result = overlay(sheet, mask, back)
    np.testing.assert_array_equal(result.ir, sheet.ir * mask)
    assert result.color[0, 0].tolist() == [0.5] * 3
    assert result.color[0, -1].tolist() == [0] * 3
    assert result.height[0].tolist() == [PIVOT + 10] * SIZE
    assert result.height[1].tolist() == [PIVOT] * SIZE
