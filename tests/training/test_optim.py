"""The optimizer and the schedule of a recipe; the moving average of the weights, and that a run saves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.config.train import TrainConfig
from fas_core.descriptors import KINDS
from fas_core.errors import ConfigError, FasError
from fas_core.failures import Provider
from fas_core.registry import PluginRecord, Registry, registry
from fas_core.training import job
from fas_core.training.optim import MovingAverage, build_optimizer, build_schedule, decay_at
from fas_core.training.updates import Updater


def test_the_recipes_optimizer_has_its_hyper_parameters() -> None:
    options = {"optimizer": {"name": "sgd", "nesterov": True}, "momentum": 0.8, "weight_decay": 0.02}
    config = structure({"lr": 0.1, **options}, TrainConfig, registry(), "train")
    optimizer = build_optimizer(config, registry(), [{"params": list(nn.Linear(2, 2).parameters())}])
    assert isinstance(optimizer, torch.optim.SGD)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"], group["nesterov"]) == (
        0.1,
        0.8,
        0.02,
        True,
    )


def test_the_recipes_schedule_is_of_its_epochs() -> None:
    config = structure({"schedule": "cosine", "epochs": 4}, TrainConfig, registry(), "train")
    factor = build_schedule(config, registry(), updates_per_epoch=3)
    assert [factor(update) for update in (0, 5, 6)] == [1, pytest.approx((1 + 2**-0.5) / 2), 0.5]


class NeedsClosure(torch.optim.SGD):
    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]
        return closure()


@pytest.mark.parametrize(
    ("kind", "target", "message"),
    [
        ("optimizer", lambda *_, **__: "sgd", "its target returned 'sgd', which is no torch.optim.Optimizer"),
        (
            "optimizer",
            lambda _, parameters, train: NeedsClosure(parameters, 0.1),
            r"its step\(\) needs a closure",
        ),
        ("schedule", lambda *_, **__: 0.1, "its target returned 0.1, which is not callable"),
    ],
)
def test_a_plugins_target_that_gives_something_else_is_one_line(
    provide: Callable[..., Registry], kind: str, target: Any, message: str
) -> None:
    plugins = provide(kind, target)
    config = structure({kind: "odd"}, TrainConfig, plugins, "train")
    groups = [{"params": list(nn.Linear(2, 2).parameters())}]
    build, argument = {"optimizer": (build_optimizer, groups), "schedule": (build_schedule, 3)}[kind]
    with pytest.raises(FasError, match=f"{kind} 'odd' of acme-fas 1: {message}") as caught:
        build(config, plugins, argument)  # type: ignore[operator]
    assert "\n" not in str(caught.value)


@pytest.fixture
def provide(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    """`provide(kind, target)`: all plugins, and one whose component `odd` is the target."""

    def add(kind: str, target: Any) -> Registry:
        provider = Provider("acme-fas", "1")
        component = KINDS[kind](name="odd", summary="", target="acme_fas:odd", provider=provider)
        monkeypatch.setattr(type(component), "load", lambda self: target)
        record = PluginRecord("acme", "acme-fas", "1", "active", components=(component,))
        return Registry((*registry().records, record))

    return add


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
