"""The tiny model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fas_core import ConfigError, Fusion
from fas_core.testing import find_component, score_images, tiny_model
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


class Network(nn.Module):
    """A network whose embedding is the mean colour."""

    num_features, embedding_dim, num_logits, reduction = 3, 3, 2, 1

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward_features(self, x: Tensor) -> Tensor:
        return x * self.gain

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        return x[:, :2]


def test_it_is_of_the_network_and_the_fusion_that_are_given() -> None:
    images = {name: np.full((3, 16, 16, 3), level, np.uint8) for name, level in (("rgb", 51), ("ir", 204))}
    chosen: dict[str, Any] = {
        "backbone": Network,
        "face_size": 16,
        "normalize": ((0.0, 0.2, 0.0), (1.0, 1.0, 1.0)),
    }
    model = tiny_model(("rgb", "ir"), fusion="score_mean", **chosen)
    # Logits of level / 255 and that less 0.2, whose softmax does not depend on the level.
    np.testing.assert_allclose(score_images(model, images), 1 / (1 + np.exp(0.2)), rtol=1e-5)
    assert model.takes == "logits"
    assert isinstance(model.backbones["ir"], Network)
    assert tiny_model(("rgb",), fusion=find_component(Fusion, "single"), **chosen).modalities == ("rgb",)
    with pytest.raises(ConfigError, match=r"fusion 'input_concat' .* takes inputs"):
        tiny_model(("rgb", "ir"), fusion="input_concat")


def test_it_scores_patches_and_faces_that_lack_a_modality() -> None:
    rng = np.random.default_rng(1)
    images = {name: rng.integers(0, 256, (2, 32, 32, 3), np.uint8) for name in ("rgb", "ir")}
    model = tiny_model(("rgb", "ir"), grid=2, partial=True)
    assert (model.face_size, model.partial) == (32, True)
    # The patches of a face that repeats one are all that one.
    tiled = {name: np.tile(pixels[:, :16, :16], (1, 2, 2, 1)) for name, pixels in images.items()}
    whole = tiny_model(("rgb", "ir"), face_size=16)
    expected = score_images(whole, {name: pixels[:, :16, :16] for name, pixels in images.items()})
    np.testing.assert_allclose(score_images(model, tiled), expected, rtol=1e-5)
    presence = np.array([[True, False], [True, True]])
    changed = images | {"ir": 255 - images["ir"]}
    same = score_images(model, images, presence) == score_images(model, changed, presence)
    assert same.tolist() == [True, False]
