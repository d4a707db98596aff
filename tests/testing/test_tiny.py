"""The tiny model."""

from __future__ import annotations

import torch

from fas_core.testing.tiny import build_tiny_model


def test_weights_are_the_same_each_time_and_leave_the_seed_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first, second = build_tiny_model(("rgb", "ir"), 32), build_tiny_model(("rgb", "ir"), 32)
    assert torch.equal(torch.rand(1), expected)
    weights = second.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in first.state_dict().items())


def test_it_scores_images_of_its_modalities() -> None:
    model = build_tiny_model(("rgb", "ir"), 32)
    assert not model.training
    assert (model.modalities, model.face_size) == (("rgb", "ir"), 32)
    pixels = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    outputs = model({"rgb": pixels, "ir": pixels})
    assert outputs.logits is not None
    assert outputs.logits.shape == (2, 2)
    assert outputs.features["ir"].shape == (2, 4, 8, 8)
