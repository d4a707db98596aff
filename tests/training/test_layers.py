"""Layers by name: frozen ones do not change, others have learning rates of their own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from fas_core.config.train import TrainConfig
from fas_core.errors import ConfigError
from fas_core.training.layers import freeze_layers, group_parameters, matches_name, set_training_mode


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbones = nn.ModuleDict({name: self.build_branch() for name in ("rgb", "ir")})
        self.fusion = nn.Linear(4, 2)

    @staticmethod
    def build_branch() -> nn.Module:
        blocks = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5))
        return nn.ModuleDict({"blocks": blocks, "head": nn.Linear(2, 2)})


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("backbones", "backbones.rgb.blocks.0.weight", True),
        ("backbones.*.blocks.0", "backbones.rgb.blocks.0.weight", True),
        ("backbones.*.blocks.0", "backbones.rgb.blocks.01.weight", False),
        ("backbones.rgb", "backbones.rgb_2.weight", False),
        ("backbones.rgb.blocks", "backbones.rgb", False),
    ],
)
def test_a_name_stands_for_all_below_it(pattern: str, name: str, expected: bool) -> None:
    assert matches_name(pattern, name) is expected


def test_frozen_layers_are_not_trained_and_stay_in_evaluation_mode() -> None:
    model = Network()
    frozen = ("backbones.rgb.blocks",)
    freeze_layers(model, frozen)
    set_training_mode(model, frozen)
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert not any(name.startswith("backbones.rgb.blocks") for name in trained)
    assert {"backbones.rgb.head.weight", "backbones.ir.blocks.0.weight", "fusion.bias"} <= trained
    modes = {name: module.training for name, module in model.named_modules()}
    assert not modes["backbones.rgb.blocks.1"]
    assert modes["backbones.ir.blocks.1"]
    assert modes["backbones.rgb.head"]


def rates(config: TrainConfig, model: nn.Module, loss: nn.Module) -> dict[str, float]:
    """Return the learning rate of each parameter that is trained, by its name."""
    groups = group_parameters(model, loss, config)
    rate = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    named = [*model.named_parameters(), *loss.named_parameters("loss")]
    return {name: rate[id(parameter)] for name, parameter in named if id(parameter) in rate}


def test_the_longest_name_gives_the_rate() -> None:
    model, loss = Network(), nn.Linear(1, 1)
    freeze_layers(model, ("backbones.ir.head",))
    factors = {"backbones.*.blocks": 0.1, "backbones": 0.5, "backbones.rgb.blocks.1": 2.0}
    result = rates(TrainConfig(lr=0.2, layer_lr=factors), model, loss)
    assert result["backbones.ir.blocks.0.weight"] == pytest.approx(0.02)
    assert result["backbones.rgb.head.bias"] == pytest.approx(0.1)
    assert result["backbones.rgb.blocks.1.weight"] == pytest.approx(0.4)
    assert result["fusion.weight"] == result["loss.weight"] == 0.2
    assert "backbones.ir.head.weight" not in result


def test_without_factors_there_is_one_group() -> None:
    (group,) = group_parameters(Network(), nn.Identity(), TrainConfig(lr=0.3))
    assert (group["lr"], group["lr_factor"]) == (0.3, 1.0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("backbone.rgb", r"no layer 'backbone\.rgb': 'backbone' \(did you mean 'backbones'\?\)"),
        ("backbones.depth", r"'depth' \(known: ir, rgb\)"),
        ("backbones.*.blocks.7", r"'7' \(known: 0, 1\)"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"train\.freeze: " + ".*" + message):
        freeze_layers(Network(), (name,))
    with pytest.raises(ConfigError, match=r"train\.layer_lr: " + ".*" + message):
        group_parameters(Network(), nn.Identity(), TrainConfig(layer_lr={name: 0.5}))


def test_freezing_everything_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"backbones, fusion: nothing is left to train"):
        freeze_layers(Network(), ("backbones", "fusion"))


@pytest.mark.parametrize("factor", [0.0, -1.0])
def test_factors_are_positive(factor: Any) -> None:
    with pytest.raises(ValueError, match="'layer_lr' must be > 0"):
        TrainConfig(layer_lr={"backbones": factor})


def test_a_frozen_batch_norm_keeps_its_statistics() -> None:
    model = Network()
    set_training_mode(model, ("backbones.rgb",))
    branch: Any = model.backbones["rgb"]
    branch["blocks"](torch.randn(4, 3, 2, 2))
    assert int(branch["blocks"][1].num_batches_tracked) == 0
