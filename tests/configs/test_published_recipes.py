"""The shipped recipes: the published commands' hyper-parameters, and that each of them learns."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from fas_core.config.load import load_recipe
from fas_core.config.recipe import Augment, Normalize, Recipe
from fas_core.data.loader import training_loader
from fas_core.records.model_input import Resize
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training.process import accelerator_for
from fas_core.training.trainer import Training
from fas_plugins.datasets.simulator.options import SyntheticOptions
from fas_plugins.datasets.synthetic import Synthetic

DEPTH = Normalize((0.14300402, 0.1434545, 0.14277956), (0.10050353, 0.100842826, 0.10034215))
MODAL = ("rgb", "depth", "ir")
PUBLISHED = {  # backbone, fusion, modalities, epochs, batch, every decay, gamma
    "fishnet150-32": ("fishnet150", "single", ("depth",), 100, 32, 30, 2),
    "mobilenetv2": ("mobilenetv2", "single", ("depth",), 200, 32, 40, 2),
    "mobilelitenet54-32": ("mobilelitenet54", "single", ("depth",), 200, 32, 60, 3),
    "mobilelitenet54-se-64": ("mobilelitenet54_se", "single", ("depth",), 200, 64, 60, 3),
    "feathernet-a-32": ("feathernet_a", "single", ("depth",), 200, 32, 60, 3),
    "feathernet-b-32": ("feathernet_b", "single", ("depth",), 150, 32, 60, 3),
    "feathernet-modal-fusion": ("feathernet_b", "concat_linear", MODAL, 150, 32, 60, 3),
    "feathernet-modal-fusion-concat": ("feathernet_b", "concat_linear", MODAL, 150, 32, 60, 3),
    "feathernet-modal-fusion-pipenet": ("feathernet_b", "pipenet", MODAL, 150, 32, 60, 3),
    "feathernet-modal-fusion-cdcn": ("feathernet_b", "cdcn", MODAL, 150, 32, 60, 3),
}
SMALLEST = {"mobilelitenet54-32": 128, "mobilelitenet54-se-64": 128}
SAMPLES, STEPS = 8, 12
ROW = r'`--config="cfgs/[^"]+" ([^`]+)` \| `fas train ([^`]+)`'


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_is_the_published_command(name: str) -> None:
    recipe = load_recipe(name, registry())
    backbone, fusion, modalities, epochs, batch, every, gamma = PUBLISHED[name]
    model, train = recipe.model, recipe.train
    assert (model.backbone.name, model.fusion.name, recipe.modalities) == (backbone, fusion, modalities)
    assert (train.epochs, train.batch_size, train.every_decay) == (epochs, batch, every)
    assert (recipe.loss.name, recipe.loss.options.gamma) == ("focal", gamma)
    assert (train.optimizer.name, train.optimizer.options.nesterov) == ("sgd", False)
    assert (train.lr, train.momentum, train.weight_decay) == (0.01, 0.9, 1e-4)
    assert (train.schedule.name, train.decay, model.input_size) == ("step", 0.1, 224)
    assert recipe.augment == Augment((0.08, 1.0), (3 / 4, 4 / 3), flip=0.5, lighting=0.1)
    assert recipe.resize == Resize(0.875)
    assert {model.normalize[modality] for modality in modalities} == {DEPTH}


def test_the_single_networks_are_for_casia_surf_and_the_fusions_for_cefa() -> None:
    for name, (_, fusion, *_) in PUBLISHED.items():
        data = load_recipe(name, registry()).data
        assert data.name == ("casia_surf" if fusion == "single" else "cefa")
        assert fusion == "single" or data.options.protocol == "4@all"


def test_the_documented_commands_are_what_the_recipes_say(
    repository: Path, fas: Callable[..., Result]
) -> None:
    """The flags of each published command, given to its recipe, change nothing."""
    table = (repository / "docs" / "recipes.md").read_text(encoding="utf-8")
    rows = [(name, flags) for flags, name in re.findall(ROW, table)]
    assert [name for name, _ in rows] == list(PUBLISHED)[:7]
    for name, flags in rows:
        plain, changed = (fas("config", "show", name, *more, "--json") for more in ([], flags.split()))
        assert changed.exit_code == 0, changed.output
        assert changed.stdout == plain.stdout


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> SampleTable:
    """As many simulated live samples as attacks."""
    synthetic = Synthetic(
        SyntheticOptions(subjects=9, shots=1, size=48), root=tmp_path_factory.mktemp("data") / "synthetic"
    )
    synthetic.prepare()
    samples = synthetic.samples("train")
    labels = samples.labels
    half = SAMPLES // 2
    return samples.take([*(labels == 1).nonzero()[0][:half], *(labels == 0).nonzero()[0][:half]])


def losses(recipe: Recipe, samples: SampleTable, folder: Path) -> list[float]:
    """The loss of each step, all samples in each."""
    training = Training.prepare(Run(folder, recipe, registry()), samples, None, accelerator_for(recipe.train))
    updater = training.updater
    updater.model.train()
    found = []
    for epoch in range(STEPS):
        (batch,) = training_loader(samples, recipe, epoch=epoch)
        loss = updater.loss(updater.model(batch.images), batch)
        training.accelerator.backward(loss)
        updater.optimizer.step()
        updater.optimizer.zero_grad()
        found.append(float(loss.detach()))
    return found


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_learns_simulated_faces(name: str, faces: SampleTable, tmp_path: Path) -> None:
    """A few steps on a handful of faces, unchanged from step to step, at the smallest input there is."""
    changes = {
        "data": "synthetic",
        "model.input_size": SMALLEST.get(name, 64),
        "augment": {"crop_scale": [1, 1], "crop_ratio": [1, 1], "flip": 0, "lighting": 0},
        "train": {"batch_size": SAMPLES, "workers": 0, "device": "cpu"},
    }
    found = losses(load_recipe(name, registry(), changes), faces, tmp_path / "run")
    assert np.isfinite(found).all()
    assert np.mean(found[-3:]) < 0.95 * np.mean(found[:3])
