"""What a model takes as input."""

from __future__ import annotations

import pytest

from fas_core.records.model_input import ModelInput, Resize


def test_networks_take_the_whole_face_unless_patches_are_scored() -> None:
    assert ModelInput(("rgb",), 128).network_size == 128
    assert ModelInput(("rgb",), 128, 64).network_size == 64


def test_the_published_rule_resizes_to_256_and_crops_224() -> None:
    assert ModelInput(("rgb",), 224).resize.crop == 224 / 256


@pytest.mark.parametrize("crop", [0, -0.5, 1.01])
def test_a_crop_is_a_fraction_of_the_image(crop: float) -> None:
    with pytest.raises(ValueError, match="crop"):
        Resize(crop)
