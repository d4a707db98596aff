"""The section `train`: former recipes mean what they meant, and flags apply to every optimizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fas_core.config.load import load_recipe
from fas_core.config.structure import structure
from fas_core.config.train import TrainConfig
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_plugins.optimizers.options import AdamWOptions, SGDOptions
from fas_plugins.schedules.options import CosineOptions

FORMER: dict[str, Any] = {
    "optimizer": "adamw",
    "lr": 0.02,
    "momentum": 0.8,
    "weight_decay": 0.5,
    "schedule": "cosine",
    "every_decay": 30,
    "decay": 0.25,
}
"""As a resolved recipe of fas 0.1.0 has it, the keys without an effect among it."""


def test_a_former_section_keeps_its_values() -> None:
    train = structure(FORMER, TrainConfig, registry(), "train")
    assert (train.optimizer.name, train.optimizer.options) == ("adamw", AdamWOptions())
    assert (train.schedule.name, train.schedule.options) == ("cosine", CosineOptions())
    told = train.hyperparameters
    assert (told.lr, told.momentum, told.weight_decay, told.epochs) == (0.02, 0.8, 0.5, 10)
    assert (told.decay, told.every_decay) == (0.25, 30)


def test_another_optimizer_keeps_the_sections_values(tmp_path: Path) -> None:
    file = tmp_path / "former.yaml"
    file.write_text(yaml.safe_dump({"train": FORMER}))
    train = load_recipe(str(file), registry(), {"train.optimizer": "sgd", "train.schedule": "step"}).train
    assert (train.optimizer.options, train.momentum, train.weight_decay) == (SGDOptions(), 0.8, 0.5)
    assert (train.schedule.name, train.decay, train.every_decay) == ("step", 0.25, 30)


def test_a_run_whose_optimizer_is_gone_opens_and_says_so(tmp_path: Path) -> None:
    environment = {"plugins": {"acme-fas": {"version": "1.0", "components": ["optimizer lion"]}}}
    (tmp_path / "environment.json").write_text(json.dumps(environment))
    recipe = {"train": {"optimizer": {"name": "lion", "beta": 0.9}}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    run = Run.open(tmp_path, registry())
    absence = "optimizer 'lion': needs acme-fas 1.0: pip install acme-fas"
    assert run.recipe.train.optimizer.absence == absence
    run.write_recipe()
    written = yaml.safe_load((tmp_path / "recipe.yaml").read_text())
    assert written["train"]["optimizer"] == {"name": "lion", "beta": 0.9}


@pytest.mark.parametrize("name", ["sgd", "fas-core:sgd"])
def test_options_of_an_optimizer_are_set_by_their_path(name: str) -> None:
    recipe = load_recipe(
        "quickstart", registry(), {"train.optimizer": name, "train.optimizer.nesterov": True}
    )
    assert recipe.train.optimizer.options == SGDOptions(nesterov=True)
