"""The training state: what is in it, and that only one that fits is loaded."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from fixtures.updates import after_each_update
from safetensors.torch import load_file

from fas_core.config.recipe import Recipe
from fas_core.config.train import TrainConfig
from fas_core.data.open import open_choice
from fas_core.errors import ModelError
from fas_core.models.checkpoint import load_state, save_state
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training import job
from fas_core.training.process import accelerator_for
from fas_core.training.state import read_training_state, write_training_state
from fas_core.training.trainer import Training
from fas_core.training.updates import Updater

MakeRecipe = Callable[..., Recipe]
WriteFaces = Callable[[Path, str, str, int, int], None]


@pytest.fixture
def training(training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe) -> Training:
    """A run that is ready to be trained, in `run`."""
    recipe = make_recipe(training_faces, {"model": {"input_size": 32}}, epochs=2)
    (tmp_path / "run").mkdir()
    run = Run(tmp_path / "run", recipe, registry())
    samples = open_choice(recipe.data, registry()).samples("train")
    return Training.prepare(run, samples, None, accelerator_for(recipe.train))


def test_the_scaler_of_gradients_goes_on_where_it_stopped(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It doubles its scale after every third update; the run is stopped between, after the fifth of eight."""

    def with_scaler(config: TrainConfig) -> Accelerator:
        accelerator = accelerator_for(config)
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
        return accelerator

    def stop(_: Updater, number: int) -> None:
        if number == 5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(job, "accelerator_for", with_scaler)
    recipe = make_recipe(training_faces, {"model": {"input_size": 32}}, epochs=2)
    job.start(tmp_path / "whole", recipe, registry())
    with monkeypatch.context() as patch:
        after_each_update(patch, stop)
        with pytest.raises(KeyboardInterrupt):
            job.start(tmp_path / "cut", recipe, registry())
    scalers = [load_state(tmp_path / "cut" / "state.pt")["scaler"]]
    job.resume(tmp_path / "cut", registry(), {})
    scalers += [load_state(tmp_path / name / "state.pt")["scaler"] for name in ("cut", "whole")]
    assert [(scaler["scale"], scaler["_growth_tracker"]) for scaler in scalers] == [(16, 2), (32, 2), (32, 2)]
    first, second = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("state", [None, {}, {"scale": 2.0}, "growth_factor"])
def test_a_scaler_takes_only_a_state_that_it_can_use(training: Training, state: Any) -> None:
    file, scaler = training.run.path / "state.pt", torch.amp.GradScaler("cpu", init_scale=8.0)
    training.accelerator.scaler = scaler
    write_training_state(file, training.updater, training.progress)
    training.restore()
    wrong = {**scaler.state_dict(), state: "text"} if isinstance(state, str) else state
    save_state({**load_state(file), "scaler": wrong}, file)
    with pytest.raises(ModelError, match=r"state\.pt: does not fit this run: "):
        training.restore()


def test_a_state_without_a_scaler_or_an_accelerators_random_numbers_continues(training: Training) -> None:
    """As those of former versions; the scaler starts anew."""
    file = training.run.path / "state.pt"
    write_training_state(file, training.updater, training.progress)
    state = load_state(file)
    assert "scaler" not in state
    del state["device_rng"]
    save_state(state, file)
    training.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    training.restore()
    assert training.accelerator.scaler.get_scale() == 8


@pytest.mark.parametrize("written_on", ["cuda", "xpu"])
def test_an_accelerators_random_numbers_go_on_where_they_stopped_on_one_of_its_type(
    training: Training, monkeypatch: pytest.MonkeyPatch, written_on: str
) -> None:
    """PyTorch's module of the accelerator is replaced, which this computer need not have."""
    streams = {"cuda": torch.tensor([1]), "xpu": torch.tensor([2])}

    def module(kind: str) -> SimpleNamespace:
        return SimpleNamespace(
            get_rng_state=lambda device: streams[device.type].clone(),
            set_rng_state=lambda state, device: streams.update({device.type: state}),
        )

    monkeypatch.setattr(torch, "get_device_module", module)
    file = training.run.path / "state.pt"
    training.updater.accelerator = SimpleNamespace(device=torch.device(written_on), scaler=None)
    write_training_state(file, training.updater, training.progress)
    streams |= {"cuda": torch.tensor([3]), "xpu": torch.tensor([4])}
    training.updater.accelerator = SimpleNamespace(device=torch.device("cuda"), scaler=None)
    read_training_state(file, training.updater)
    assert {kind: int(state) for kind, state in streams.items()} == {
        "cuda": 1 if written_on == "cuda" else 3,
        "xpu": 4,
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", {}),
        ("model", [1]),
        ("rng", torch.zeros(3)),
        ("rng", None),
        ("position", {"epoch": "x"}),
        ("position", {"epoch": -1}),
        ("position", {"batch": 1.5}),
        ("position", None),
        ("optimizer", {"state": {}, "param_groups": []}),
        ("optimizer", None),
    ],
)
def test_a_state_of_other_types_is_one_line(training: Training, key: str, value: object) -> None:
    file = training.run.path / "state.pt"
    write_training_state(file, training.updater, training.progress)
    training.restore()
    save_state({**load_state(file), key: value}, file)
    with pytest.raises(ModelError, match=r"state\.pt: does not fit this run: ") as caught:
        training.restore()
    assert "\n" not in str(caught.value)
