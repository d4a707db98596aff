"""Classes of torch.optim by name: what they are given, and each mistake as one line with its key."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from fas_core import ConfigError, Hyperparameters
from fas_plugins.optimizers.by_name import UNFIT, build_by_name
from fas_plugins.optimizers.options import ByNameOptions

TRAIN = Hyperparameters(lr=0.1, momentum=0.5, weight_decay=0.2, epochs=1, decay=1.0, every_decay=1)
USABLE = sorted(
    name
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type)
    and issubclass(kind, torch.optim.Optimizer)
    and name not in {"Optimizer", *UNFIT}
)


def build(kind: str, shape: tuple[int, ...] = (2, 2), **arguments: Any) -> torch.optim.Optimizer:
    return build_by_name(
        ByNameOptions(kind, arguments), [{"params": [nn.Parameter(torch.ones(shape))]}], TRAIN
    )


@pytest.mark.parametrize("name", USABLE)
def test_every_class_but_those_that_cannot_train_a_model(name: str) -> None:
    optimizer = build(name)
    assert type(optimizer).__name__ == name
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_momentum_and_weight_decay_are_the_recipes_unless_given() -> None:
    (group,) = build("RMSprop", alpha=0.9).param_groups
    assert (group["alpha"], group["momentum"], group["weight_decay"]) == (0.9, 0.5, 0.2)
    (group,) = build("RMSprop", momentum=0.0, weight_decay=0.0).param_groups
    assert (group["momentum"], group["weight_decay"]) == (0.0, 0.0)
    assert "weight_decay" not in build("Rprop").param_groups[0]


def test_lists_of_yaml_are_tuples() -> None:
    (group,) = build("NAdam", betas=[0.8, 0.9]).param_groups
    assert group["betas"] == (0.8, 0.9)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (
            "RMSProp",
            {},
            r"train\.optimizer\.type: torch\.optim has no optimizer 'RMSProp' \(did you mean 'RMSprop'",
        ),
        ("Optimizer", {}, r"train\.optimizer\.type: torch\.optim has no optimizer 'Optimizer'"),
        ("lr_scheduler", {}, r"train\.optimizer\.type: torch\.optim has no optimizer 'lr_scheduler'"),
        ("LBFGS", {}, r"train\.optimizer\.type: LBFGS cannot be used: .*closure"),
        ("SparseAdam", {}, r"train\.optimizer\.type: SparseAdam cannot be used: .*sparse gradients"),
        (
            "RMSprop",
            {"alhpa": 0.9},
            r"train\.optimizer\.arguments: RMSprop has no argument 'alhpa' .*'alpha'",
        ),
        ("RMSprop", {"alpha": -1}, r"train\.optimizer: torch\.optim\.RMSprop: Invalid alpha value: -1"),
        ("RMSprop", {"alpha": "x"}, r"train\.optimizer: torch\.optim\.RMSprop: "),
        ("Adam", {"betas": 0.9}, r"train\.optimizer: torch\.optim\.Adam: "),
        ("Adam", {"differentiable": True}, r"train\.optimizer: torch\.optim\.Adam: "),
    ],
)
def test_a_mistake_is_one_line_with_its_key(kind: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}") as caught:
        build(kind, **arguments)
    assert "\n" not in str(caught.value)


def test_parameters_that_the_class_refuses_are_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^train\.optimizer: torch\.optim\.Muon: .*2D parameters"):
        build("Muon", shape=(2, 2, 2))
