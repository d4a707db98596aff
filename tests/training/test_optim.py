"""Optimisers, learning rates and the moving average of the weights: formulas, and what a run saves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from fas_core.config.recipe import Recipe
from fas_core.config.train import TrainConfig
from fas_core.errors import ConfigError
from fas_core.registry import registry
from fas_core.training import job
from fas_core.training.optim import (
    MovingAverage,
    build_optimizer,
    decay_at,
    learning_rate,
    load_optimizer_state,
)
from fas_core.training.updates import Updater


def test_the_published_schedule_decays_by_ten_every_60_epochs() -> None:
    config = TrainConfig(lr=0.01, every_decay=60, epochs=150)
    rates = [learning_rate(config, epoch) for epoch in (0, 59, 60, 120)]
    assert rates == pytest.approx([0.01, 0.01, 0.001, 0.0001])


def test_cosine_falls_from_the_rate_to_zero() -> None:
    config = TrainConfig(lr=0.01, schedule="cosine", epochs=10)
    assert [learning_rate(config, epoch) for epoch in (0, 5, 10)] == pytest.approx([0.01, 0.005, 0])


def test_constant_keeps_the_rate() -> None:
    assert learning_rate(TrainConfig(lr=0.3, schedule="constant"), 99) == 0.3


def test_sgd_has_momentum_and_weight_decay() -> None:
    config = TrainConfig(lr=0.1, momentum=0.8, weight_decay=0.02)
    optimizer = build_optimizer(config, nn.Linear(2, 2).parameters())
    assert isinstance(optimizer, torch.optim.SGD)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.8, 0.02)


def test_adamw_has_weight_decay() -> None:
    config = TrainConfig(optimizer="adamw", lr=0.1, weight_decay=0.02)
    optimizer = build_optimizer(config, nn.Linear(2, 2).parameters())
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.param_groups[0]["weight_decay"] == 0.02


def test_the_first_updates_have_a_smaller_decay() -> None:
    assert [decay_at(updates, 0.5) for updates in (0, 1, 8, 100)] == pytest.approx([0.1, 2 / 11, 0.5, 0.5])


def test_weights_and_batch_norm_statistics_are_averaged_by_the_formula() -> None:
    model = nn.BatchNorm1d(1)
    average = MovingAverage(model, 0.25)  # type: ignore[arg-type]
    expected = None
    for updates, value in enumerate((3.0, -1.0, 5.0, 2.0)):
        with torch.no_grad():
            model.weight.fill_(value)
            model.running_var.fill_(10 * value)
            model.num_batches_tracked.fill_(updates)
        average.update_parameters(model)
        decay = min(0.25, (1 + updates) / (10 + updates))
        expected = value if expected is None else decay * expected + (1 - decay) * value
    mean = average.module
    assert mean.weight.item() == pytest.approx(expected, rel=1e-6)
    assert mean.running_var.item() == pytest.approx(10 * expected, rel=1e-6)
    assert mean.num_batches_tracked.item() == 3
    assert model.weight.item() == 2.0


def test_a_run_saves_and_evaluates_the_average(
    training_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_recipe: Callable[..., Recipe]
) -> None:
    update, weights = Updater.update, []

    def record(self: Updater, batch: object) -> torch.Tensor:
        loss = update(self, batch)  # type: ignore[arg-type]
        weights.append(self.model.state_dict()["backbones.rgb.features.0.0.weight"].clone())
        return loss

    monkeypatch.setattr(Updater, "update", record)
    plain = job.start(tmp_path / "plain", make_recipe(training_faces, epochs=1), registry())
    updates, weights = weights, []
    job.start(tmp_path / "mean", make_recipe(training_faces, epochs=1, average=0.9), registry())
    expected = updates[0]
    for number, weight in enumerate(updates[1:], 1):
        expected = torch.lerp(expected, weight, 1 - decay_at(number, 0.9))
    saved = load_file(tmp_path / "mean" / "last.safetensors")["backbones.rgb.features.0.0.weight"]
    torch.testing.assert_close(saved, expected)
    assert all(torch.equal(first, second) for first, second in zip(updates, weights, strict=True))
    assert plain.run.scores("dev").read_bytes() != (tmp_path / "mean" / "scores" / "dev.csv").read_bytes()


@pytest.mark.parametrize("decay", [1.0, -0.1])
def test_a_decay_outside_of_0_to_1_is_refused(
    decay: float, training_faces: Path, make_recipe: Callable[..., Recipe]
) -> None:
    with pytest.raises(ConfigError, match=r"train\.average"):
        make_recipe(training_faces, average=decay)


OTHERS = [None, True, 1.5, "x", [], {}, torch.zeros(3, 3, 3), torch.zeros(0)]


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_an_optimiser_takes_only_a_state_that_it_can_use(kind: Any) -> None:
    def build() -> Any:
        layer = torch.nn.Linear(2, 3)
        optimizer = kind(layer.parameters(), lr=0.1, **({"momentum": 0.9} if kind is torch.optim.SGD else {}))
        layer(torch.ones(1, 2)).sum().backward()
        return optimizer

    trained = build()
    trained.step()
    state = trained.state_dict()
    load_optimizer_state(build(), state)
    older = {**state, "param_groups": [dict(group) for group in state["param_groups"]]}
    del older["param_groups"][0]["foreach"]
    load_optimizer_state(build(), older)
    refused = 0
    for value in OTHERS:
        for name in state["state"][0]:
            changed = {0: {**state["state"][0], name: value}, 1: state["state"][1]}
            refused += _loads_or_refuses(build(), {**state, "state": changed})
        for name in state["param_groups"][0]:
            groups = [{**state["param_groups"][0], name: value}]
            refused += _loads_or_refuses(build(), {**state, "param_groups": groups})
    assert refused > 50


def _loads_or_refuses(optimizer: Any, state: Any) -> bool:
    """Whether the state is refused; one that is loaded must not fail at the next update."""
    try:
        load_optimizer_state(optimizer, state)
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError):
        return True
    optimizer.step()
    return False
