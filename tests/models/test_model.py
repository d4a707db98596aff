"""The model's forward pass, with networks that are computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from attrs import fields_dict
from torch import Tensor, nn

from fas_core import ConfigError
from fas_core.config.recipe import Normalize
from fas_core.models.model import Model, Preprocess, scorer, torch_threads
from fas_core.records.outputs import Outputs

PLAIN = Normalize(mean=(0, 0, 0), std=(1, 1, 1))


class Mean(nn.Module):
    """Map: the mean of the three channels; embedding: the map's mean m; logits: (m, 2 m)."""

    num_features, embedding_dim, num_logits, reduction = 1, 1, 2, 1

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward_features(self, x: Tensor) -> Tensor:
        return x.mean(dim=1, keepdim=True) * self.weight

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        return torch.cat([x, 2 * x], dim=1)


class PredictedMap(Mean):
    """The embedding is the map row by row, and the one logit its mean."""

    num_logits, map_size = 1, (2, 2)

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.flatten(1)

    def forward_head(self, x: Tensor) -> Tensor:
        return x.mean(dim=1, keepdim=True)


class Sum(nn.Module):
    """Sums what it gets."""

    num_logits = 2

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        return torch.stack(list(branches.values())).sum(dim=0)


class SumOfPresent(Sum):
    """Keeps the last `presence`."""

    takes_presence = True
    presence: Any = "not given"

    def forward(self, branches: dict[str, Tensor], presence: Any = "not given") -> Tensor:
        self.presence = presence
        return super().forward(branches)


class Classify(Sum):
    """Sums embeddings e and gives the logits (0, e)."""

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        total = super().forward(branches)
        return torch.cat([torch.zeros_like(total), total], dim=1)


class Embed(SumOfPresent):
    """Its embedding is 10 times the sum of the modalities' embeddings e, and its logits are (0, 10 e)."""

    embedding_dim = 1

    def forward_embedding(self, branches: dict[str, Tensor], presence: Any = "not given") -> Tensor:
        return 10 * super().forward(branches, presence)

    def forward_head(self, embedding: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(embedding), embedding], dim=1)


def make_model(
    takes: str = "logits",
    modalities: tuple[str, ...] = ("rgb",),
    backbone: type[Mean] = Mean,
    fusion: type[Sum] | None = None,
    **options: Any,
) -> Model:
    names = ("shared",) if takes == "inputs" else modalities
    joint = (fusion or (Classify if takes == "embeddings" else Sum))()
    if takes == "logits":
        joint.num_logits = backbone.num_logits
    return Model(
        {name: Preprocess(PLAIN) for name in modalities},
        {name: backbone() for name in names},
        joint,
        takes,  # type: ignore[arg-type]
        2,
        **options,
    ).eval()


def grey(*levels: float) -> Tensor:
    """A 2 x 2 image of each level, a fraction of white."""
    values = torch.tensor(levels).mul(255).round().to(torch.uint8)
    return values[:, None, None, None].expand(-1, 2, 2, 3)


def test_preprocessing_transposes_and_normalises() -> None:
    layer = Preprocess(Normalize(mean=(0.5, 0, 0.25), std=(0.5, 1, 2)))
    pixels = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    torch.testing.assert_close(layer(pixels), torch.tensor([-1, 0.2, 0.375]).view(1, 3, 1, 1))
    assert layer.state_dict() == {}


def test_a_classifier_scores_by_the_softmax_of_class_1() -> None:
    outputs = make_model()({"rgb": grey(0.2, 1.0)})
    torch.testing.assert_close(outputs.logits, torch.tensor([[0.2, 0.4], [1.0, 2.0]]))
    torch.testing.assert_close(outputs.score, torch.sigmoid(torch.tensor([0.2, 1.0])))
    torch.testing.assert_close(outputs.embedding, torch.tensor([[0.2], [1.0]]))
    assert outputs.features["rgb"].shape == (2, 1, 2, 2)
    assert outputs.map is None


def test_a_network_that_predicts_a_map_scores_by_its_mean() -> None:
    outputs = make_model(backbone=PredictedMap)({"rgb": grey(0.2, 1.0)})
    torch.testing.assert_close(outputs.score, torch.tensor([0.2, 1.0]))
    assert outputs.logits is None
    assert outputs.map is not None
    torch.testing.assert_close(outputs.map, torch.tensor([0.2, 1.0]).view(2, 1, 1).expand(2, 2, 2))


def test_a_fusion_of_several_branches_has_no_single_embedding() -> None:
    outputs = make_model("embeddings", ("rgb", "ir"))({"rgb": grey(0.2), "ir": grey(0.6)})
    torch.testing.assert_close(outputs.logits, torch.tensor([[0.0, 0.8]]))
    assert outputs.embedding is None
    assert set(outputs.features) == {"rgb", "ir"}


def test_a_fusion_of_inputs_feeds_one_backbone() -> None:
    outputs = make_model("inputs", ("rgb", "ir"))({"rgb": grey(0.2), "ir": grey(0.6)})
    torch.testing.assert_close(outputs.logits, torch.tensor([[0.8, 1.6]]))
    assert set(outputs.features) == {"shared"}


@pytest.mark.parametrize("takes", ["inputs", "embeddings"])
def test_a_missing_modality_is_zero_whatever_its_pixels(takes: str) -> None:
    model = make_model(takes, ("rgb", "ir"), partial=True)
    presence = torch.tensor([[True, True], [True, False]])
    logits = model({"rgb": grey(0.2, 0.2), "ir": grey(0.6, 0.6)}, presence).logits
    torch.testing.assert_close(logits[:, 1], torch.tensor([0.8, 0.2]) * (2 if takes == "inputs" else 1))


@pytest.mark.parametrize(
    ("takes", "fusion"), [("logits", SumOfPresent), ("embeddings", Embed), ("inputs", SumOfPresent)]
)
def test_a_fusion_that_declares_it_is_told_what_is_missing(takes: str, fusion: type[SumOfPresent]) -> None:
    model = make_model(takes, ("rgb", "ir"), fusion=fusion, partial=True)
    images = {"rgb": grey(0.2, 0.2), "ir": grey(0.6, 0.6)}
    model(images)
    assert model.fusion.presence is None
    model(images, torch.tensor([[True, True], [True, False]]))
    assert {name: mask.tolist() for name, mask in model.fusion.presence.items()} == {
        "rgb": [True, True],
        "ir": [True, False],
    }


def test_a_fusion_of_logits_that_is_not_told_cannot_do_without_modalities() -> None:
    with pytest.raises(ConfigError, match=r"fusion Sum takes logits.*modality_dropout to 0"):
        make_model("logits", ("rgb", "ir"), partial=True)


def test_the_embedding_of_a_fusion_is_that_of_the_model() -> None:
    model = make_model("embeddings", ("rgb", "ir"), fusion=Embed)
    outputs = model({"rgb": grey(0.2), "ir": grey(0.6)})
    torch.testing.assert_close(outputs.embedding, torch.tensor([[8.0]]))
    torch.testing.assert_close(outputs.logits, torch.tensor([[0.0, 8.0]]))


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, {"logits", "embedding"}),
        ({"backbone": PredictedMap}, {"map", "embedding"}),
        ({"takes": "embeddings"}, {"logits", "embedding"}),
        ({"takes": "inputs", "modalities": ("rgb", "ir")}, {"logits", "embedding"}),
        ({"takes": "inputs", "modalities": ("rgb", "ir"), "backbone": PredictedMap}, {"map", "embedding"}),
        ({"takes": "embeddings", "modalities": ("rgb", "ir")}, {"logits"}),
        ({"takes": "embeddings", "modalities": ("rgb", "ir"), "fusion": Embed}, {"logits", "embedding"}),
    ],
)
def test_the_names_of_outputs_are_those_that_are_not_none(options: dict[str, Any], names: set[str]) -> None:
    model = make_model(**options)
    outputs = model({name: grey(0.2) for name in model.modalities})
    assert set(model.output_names) == {"score", "features", *names}
    assert {name for name in fields_dict(Outputs) if getattr(outputs, name) is not None} == set(
        model.output_names
    )


def test_a_scorer_takes_arrays_and_leaves_the_model_in_eval_mode() -> None:
    model = make_model("embeddings", ("rgb", "ir"), partial=True).train()
    score = scorer(model)
    assert not model.training
    images = {"rgb": grey(0.2, 0.2).numpy(), "ir": grey(0.6, 0.6).numpy()}
    result = score(images, np.array([[True, True], [True, False]]))
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, 1 / (1 + np.exp([-0.8, -0.2])), rtol=1e-6)


def test_threads_are_restored_also_after_an_error() -> None:
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    with pytest.raises(ValueError, match="stop"), torch_threads(before + 1):
        raise ValueError("stop")
    assert torch.get_num_threads() == before
