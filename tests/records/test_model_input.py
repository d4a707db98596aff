"""What a model takes as input."""

from __future__ import annotations

import pytest

from fas_core.records.model_input import ModelInput, Resize, ScaledCrop


def test_networks_take_the_whole_face_unless_patches_are_scored() -> None:
    assert ModelInput(("rgb",), 128).network_size == 128
    assert ModelInput(("rgb",), 128, 64).network_size == 64


def test_the_published_rule_resizes_to_256_and_crops_224() -> None:
    assert ModelInput(("rgb",), 224).resize.crop == 224 / 256


@pytest.mark.parametrize("crop", [0, -0.5, 1.01])
def test_a_crop_is_a_fraction_of_the_image(crop: float) -> None:
    with pytest.raises(ValueError, match="crop"):
        Resize(crop)


def test_inputs_that_are_crops_of_one_photo() -> None:
    crops = {"near": ScaledCrop(2.7, "rgb"), "far": ScaledCrop(4.0, "rgb"), "ir": ScaledCrop(2.7)}
    model_input = ModelInput(("near", "ir", "far"), 80, crops=crops)
    assert model_input.photos == ("rgb", "ir")
    assert ModelInput(("rgb", "ir"), 80).photos == ("rgb", "ir")


def test_crops_of_some_modalities_are_refused() -> None:
    with pytest.raises(ValueError, match="one for each modality, or none: 'ir' lacks it"):
        ModelInput(("rgb", "ir"), 80, crops={"rgb": ScaledCrop(2.7)})
