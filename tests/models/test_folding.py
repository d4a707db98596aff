"""Folded models: the model's scores, with fewer batch norms, whatever the network does with its layers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from threading import Event
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fas_core.config.load import change_recipe
from fas_core.config.recipe import Normalize, Recipe
from fas_core.models.build import build_model
from fas_core.models.folding import folded_scorer
from fas_core.models.model import Model, Preprocess, scorer
from fas_core.registry import registry

IMAGES = {"rgb": np.random.default_rng(14).integers(0, 256, (5, 32, 32, 3), np.uint8)}


class Network(nn.Module):
    """Eight channels, and what `use` makes of a convolution and a batch norm; logits are two means."""

    num_features, embedding_dim, num_logits, reduction = 8, 8, 2, 1

    def __init__(self, use: Callable[[Network, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.norm, self.other = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.BatchNorm2d(8)
        self.use = use

    def forward_features(self, x: Tensor) -> Tensor:
        return self.use(self, x)

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        return x[:, :2]


class CountNorms(TorchDispatchMode):
    """Counts the batch norms that are computed within the block."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.count += "batch_norm" in str(function)
        return function(*args, **(kwargs or {}))


def build(use: Callable[[Network, Tensor], Tensor]) -> Model:
    return Model({"rgb": Preprocess(Normalize())}, {"rgb": Network(use)}, First(), "logits", 32)


class First(nn.Module):
    """The one branch."""

    num_logits = 2

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        return branches["rgb"]


def randomize_norms(model: nn.Module) -> None:
    torch.manual_seed(14)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)


def count_norms(model: Model) -> int:
    """Return how many batch norms a folded model computes, whose scores are those of the model."""
    randomize_norms(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    folded = folded_scorer(model)
    np.testing.assert_allclose(folded(IMAGES), scorer(model)(IMAGES), atol=1e-5)
    with CountNorms() as norms:
        folded(IMAGES)
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    return norms.count


def shared_norm(network: Network, x: Tensor) -> Tensor:
    return network.norm(network.conv(x)) + network.norm(network.conv(x.flip(3)))


def shared_output(network: Network, x: Tensor) -> Tensor:
    y = network.conv(x)
    return network.norm(y) + network.other(y)


def skip(network: Network, x: Tensor) -> Tensor:
    y = network.conv(x)
    return network.norm(y) + y


def changed_in_place(network: Network, x: Tensor) -> Tensor:
    return network.norm(network.conv(x).clamp_(min=0))


def norm_first(network: Network, x: Tensor) -> Tensor:
    return network.norm(network.conv(x).relu())


def test_a_norm_after_a_convolution_is_folded() -> None:
    assert count_norms(build(lambda network, x: network.norm(network.conv(x)))) == 0


@pytest.mark.parametrize("use", [shared_norm, shared_output, skip, changed_in_place, norm_first])
def test_any_other_use_scores_as_it_is(use: Callable[[Network, Tensor], Tensor]) -> None:
    assert count_norms(build(use)) > 0


def test_a_watched_convolution_stays() -> None:
    model = build(lambda network, x: network.norm(network.conv(x)))
    seen = []
    model.backbones["rgb"].conv.register_forward_hook(lambda *_: seen.append(1))
    assert count_norms(model) == 1
    assert seen


def keep_activations(network: Network, x: Tensor) -> Tensor:
    """In training alone."""
    y = network.conv(x)
    if network.training:
        network.kept = y
    return network.norm(y)


def test_threads_may_share_a_scorer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes while the first copies the model, whose layers nobody may watch then."""
    copying, watching = Event(), Event()

    def copy_slowly(model: Model) -> Model:
        copying.set()
        watching.wait(0.3)
        return deepcopy(model)

    def run(network: Network, x: Tensor) -> Tensor:
        if copying.is_set():
            watching.set()
        return cast(Tensor, network.norm(network.conv(x)))

    model = build(run)
    randomize_norms(model)
    score, expected = folded_scorer(model), scorer(model)(IMAGES)
    monkeypatch.setattr("fas_core.models.folding.deepcopy", copy_slowly)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(score, IMAGES)
        copying.wait(10)
        for scores in (score(IMAGES), first.result()):
            np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_model_that_cannot_be_copied_scores_as_it_is() -> None:
    model = build(keep_activations)
    model({"rgb": torch.from_numpy(IMAGES["rgb"])})
    assert count_norms(model) == 1


@pytest.mark.parametrize("backbone", ["feathernet_a", "mobilenetv2"])
def test_backbones(backbone: str) -> None:
    choices = {"model.backbone": backbone, "model.input_size": 32, "modalities": ["rgb"]}
    model = build_model(change_recipe(Recipe(), registry(), choices), registry())
    norms = sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    assert count_norms(model) < norms / 2
