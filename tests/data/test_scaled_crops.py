"""Crops that a model states as multiples of the face's box, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fas_core import DataError
from fas_core.data.images import Box
from fas_core.data.scaled_crops import Region, crop_inputs, find_region
from fas_core.records.model_input import ModelInput, ScaledCrop

PHOTO = np.random.default_rng(0).integers(0, 256, (81, 101, 3), np.uint8)


@pytest.mark.parametrize(
    ("face", "region"),
    [
        # 54 x 54 around (50, 40); the last row and column belong to the region.
        ((40, 30, 20, 20), (23, 13, 78, 68)),
        # The scale is limited to 80 / 60: 53.33 x 80 around x = 30.
        ((10, 10, 40, 60), (3, 0, 57, 81)),
        # The centre (10, 10) would put the left edge at -17: moved to 0.
        ((0, 0, 20, 20), (0, 0, 55, 55)),
        # The centre (91, 71) would put the right edge at 118: moved to 100; the lower one to 80.
        ((81, 61, 20, 20), (46, 26, 101, 81)),
        # The box is as large as the photo: all of it but for the limit's last pixel.
        ((0, 0, 101, 81), (0, 0, 101, 81)),
    ],
)
def test_the_published_rule_limits_the_scale_and_moves_the_region_inside(face: Box, region: Region) -> None:
    assert find_region(face, ScaledCrop(2.7), PHOTO.shape) == region


@pytest.mark.parametrize("border", ["black", "reflect"])
def test_a_square_may_reach_over_the_edge(border: str) -> None:
    # A side of 1.5 * 20 around (10, 15).
    crop = ScaledCrop(1.5, shape="square", border=border)  # type: ignore[arg-type]
    assert find_region((0, 10, 20, 10), crop, PHOTO.shape) == (-5, 0, 25, 30)
    (image,) = crop_inputs(
        {"rgb": PHOTO}, (0, 10, 20, 10), ModelInput(("rgb",), 30, crops={"rgb": crop})
    ).values()
    np.testing.assert_array_equal(image[:, 5:], PHOTO[:30, :25])
    outside = 0 if border == "black" else PHOTO[:30, 5:0:-1]
    np.testing.assert_array_equal(image[:, :5], np.broadcast_to(outside, (30, 5, 3)))


def test_inputs_are_crops_of_one_photo() -> None:
    crops = {"near": ScaledCrop(1.0, "rgb"), "far": ScaledCrop(2.0, "rgb")}
    images = crop_inputs({"rgb": PHOTO}, (40, 30, 19, 19), ModelInput(("near", "far"), 20, crops=crops))
    np.testing.assert_array_equal(images["near"], PHOTO[30:50, 40:60])
    # 38 x 38 around (49.5, 39.5), and the last row and column.
    assert find_region((40, 30, 19, 19), crops["far"], PHOTO.shape) == (30, 20, 69, 59)


def test_a_box_is_scaled_to_photos_of_other_sizes() -> None:
    crops = {"rgb": ScaledCrop(1.0), "ir": ScaledCrop(1.0)}
    photos = {"rgb": np.kron(PHOTO, np.ones((2, 2, 1), np.uint8)), "ir": PHOTO}
    images = crop_inputs(photos, (80, 60, 38, 38), ModelInput(("rgb", "ir"), 20, crops=crops))
    np.testing.assert_array_equal(images["ir"], PHOTO[30:50, 40:60])


def test_linear_interpolation_takes_single_pixels_and_area_averages() -> None:
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::4] = 200
    crops = [ScaledCrop(1), ScaledCrop(1, interpolation="linear")]
    inputs = [ModelInput(("rgb",), 10, crops={"rgb": crop}) for crop in crops]
    area, linear = (crop_inputs({"rgb": stripes}, None, model_input) for model_input in inputs)
    assert set(area["rgb"].ravel()) == {50}  # a quarter of each four columns
    assert set(linear["rgb"].ravel()) == {0}  # the middle two of each four


def test_a_region_is_stretched_whole() -> None:
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:, 20:] = 255
    images = crop_inputs({"rgb": wide}, None, ModelInput(("rgb",), 8, crops={"rgb": ScaledCrop(2.7)}))
    assert images["rgb"].shape == (8, 8, 3)
    assert images["rgb"][:, :4].max() == 0
    assert images["rgb"][:, 4:].min() == 255


def test_impossible_boxes_are_refused() -> None:
    for face, border, match in [
        ((10, 10, 0, 20), "inside", "no area"),
        ((300, 300, 20, 20), "black", "outside the image of 101 x 81"),
        ((0, 0, 90, 80), "black", "far larger than the photo"),
    ]:
        crop = ScaledCrop(8.0, border=border)  # type: ignore[arg-type]
        with pytest.raises(DataError, match=match):
            crop_inputs({"rgb": PHOTO}, face, ModelInput(("rgb",), 30, crops={"rgb": crop}))


def test_missing_photos_give_no_inputs() -> None:
    crops = {"rgb": ScaledCrop(2.0), "ir": ScaledCrop(2.0)}
    model_input = ModelInput(("rgb", "ir"), 8, partial=True, crops=crops)
    assert list(crop_inputs({"ir": PHOTO}, (40, 30, 20, 20), model_input)) == ["ir"]
