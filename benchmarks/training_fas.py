"""Train and evaluate FeatherNetB with `fas`, and print images/s of each as JSON.

    python benchmarks/training_fas.py FOLDER

`benchmarks/training.py` calls it. Training is that of `fas train` with two epochs; the second one counts;
evaluation is the scoring of dev after an epoch.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from fas_core.config.load import load_recipe
from fas_core.console import console
from fas_core.data.open import open_choice
from fas_core.records.outputs import Batch
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training.dev import evaluate_dev
from fas_core.training.process import accelerator_for
from fas_core.training.splits import training_splits
from fas_core.training.trainer import Training

WARM_UP = 2
RECIPES = {"one.csv": "feathernet-b-32", "three.csv": "feathernet-modal-fusion"}
"""Published ones, of depth images and of three modalities, by the manifest that they are trained on here."""


def prepare(manifest: Path, settings: dict[str, Any]) -> Training:
    """Return the training of a manifest."""
    data = {"data.name": "manifest", "data.root": str(manifest)}
    settings = {"train.epochs": 2, "train.device": "cpu"} | settings
    recipe = load_recipe(RECIPES[manifest.name], registry(), data | settings)
    train, dev = training_splits(open_choice(recipe.data, registry()), recipe)
    run = Run(Path(tempfile.mkdtemp(dir=manifest.parent)), recipe, registry())
    run.create()
    return Training.prepare(run, train, dev, accelerator_for(recipe.train))


def measure_training(training: Training) -> float:
    """Return images/s of the second epoch."""
    training.fit()
    return float(training.run.metrics()[-1]["images_per_second"])


def measure_evaluation(training: Training) -> float:
    """Return images/s of scoring dev."""
    assert training.dev is not None
    start = perf_counter()
    evaluate_dev(training.run, training.updater.evaluated_model, training.dev)
    return len(training.dev) / (perf_counter() - start)


def measure_steps(training: Training, steps: int) -> float:
    """Return images/s of steps on one batch in memory."""
    config, name = training.recipe.train, training.recipe.modalities[0]
    side = training.recipe.model.input_size
    images = torch.randint(0, 256, (config.batch_size, side, side, 3), dtype=torch.uint8)
    index = torch.arange(len(images))
    batch = Batch({name: images}, index % 2, index, None, len(images))
    training.updater.start_epoch()
    training.updater.set_rate(0, 0)
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            start = perf_counter()
        training.updater.update(batch)
    return steps * len(images) / (perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=10, help="steps without reading images")
    parser.add_argument("--only-steps", action="store_true")
    parser.add_argument("--workers", type=int, help="processes that read images")
    arguments = parser.parse_args()
    console.quiet = True
    settings = {} if arguments.workers is None else {"train.workers": arguments.workers}
    single = prepare(arguments.folder / "one.csv", settings)
    figures = {}
    if not arguments.only_steps:
        figures |= {"training": measure_training(single), "evaluation": measure_evaluation(single)}
    figures["step"] = measure_steps(single, arguments.steps)
    if not arguments.only_steps:
        figures["three"] = measure_training(prepare(arguments.folder / "three.csv", settings))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
