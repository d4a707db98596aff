"""From a uint8 image in memory to a score, batch 1: what `fas export` writes, against what people run today.

    python benchmarks/inference.py
    python benchmarks/inference.py --only mobilelitenet54 --repeat 200

Peers, in the same run and by turns, so that a busy machine slows all alike: the network in eager PyTorch
(as published code is run: to float, normalise, network, softmax), the engine alone on the same graph, and our
runtime around it. Networks have fresh weights: speed does not depend on them. Medians, and ratios of medians.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch

from fas_core.card import Card
from fas_core.config import Recipe, Resize
from fas_core.contracts import Scorer, Verification
from fas_core.descriptors import Exporter
from fas_core.model import Model, build_model
from fas_core.plugins import registry
from fas_core.runtime import Predictor
from fas_core.runtime.engines import open_engine
from fas_core.structure import structure
from fas_core.thresholds import Threshold

SIZE = 224
NETWORKS: dict[str, dict[str, Any]] = {
    "feathernet_b": {"modalities": ["rgb"], "backbone": "feathernet_b", "fusion": "single"},
    "cdcn of three": {"modalities": ["rgb", "depth", "ir"], "backbone": "feathernet_b", "fusion": "cdcn"},
    "mobilelitenet54": {"modalities": ["rgb"], "backbone": "mobilelitenet54", "fusion": "single"},
}
FORMS: list[tuple[str, str, dict[str, Any]]] = [
    ("onnxruntime fp32", "onnx", {"precision": "fp32"}),
    ("onnxruntime int8", "onnx", {"precision": "int8"}),
    ("OpenVINO fp32", "openvino", {"precision": "fp32"}),
    ("OpenVINO int8", "openvino", {"precision": "int8"}),
]
EAGER = "eager PyTorch"
CALIBRATION = 32
Call = Callable[[], Any]


def recipe_of(network: dict[str, Any]) -> Recipe:
    model = {"backbone": network["backbone"], "fusion": network["fusion"], "input_size": SIZE}
    return structure({"modalities": network["modalities"], "model": model}, Recipe, registry(), "benchmark")


def settled(recipe: Recipe) -> Model:
    """A network whose batch norms have statistics of something, in eval mode."""
    torch.manual_seed(14)
    model = build_model(recipe, registry())
    noise = torch.randint(0, 256, (4, SIZE, SIZE, 3), dtype=torch.uint8)
    with torch.no_grad():
        model.train()(dict.fromkeys(recipe.modalities, noise))
    return model.eval()


def eager(model: Model, images: dict[str, np.ndarray]) -> Call:
    """As published code is run."""

    def score() -> float:
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(image[None]) for name, image in images.items()}
            return float(model(tensors).score)

    return score


def written(recipe: Recipe, model: Model, name: str, options: dict[str, Any], folder: Path) -> Path:
    """An export of the model, without the check against a run's samples."""
    exporter = registry().find("exporter", name)
    assert isinstance(exporter, Exporter)
    made = structure(options, exporter.options, registry(), name)
    rng = np.random.default_rng(14)
    shape = (CALIBRATION, SIZE, SIZE, 3)
    samples = {modality: rng.integers(0, 256, shape, np.uint8) for modality in recipe.modalities}
    card = Card(recipe.modalities, SIZE, Resize(crop=1.0), Threshold(0.5, "fixed:0.5", "given"))
    path = folder / f"{name}-{'-'.join(map(str, options.values()))}{exporter.suffix}"

    def verify(_: Scorer, **__: float | None) -> Verification:
        return Verification(samples=0, split="none", max_difference=0.0, mean_difference=0.0)

    exporter.load()(made, model=model, samples=samples, destination=path, card=card, verify=verify)
    return path


def calls(recipe: Recipe, folder: Path) -> dict[str, Call]:
    """What is measured of one network, by name."""
    model, rng = settled(recipe), np.random.default_rng(14)
    images = {name: rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8) for name in recipe.modalities}
    batch = {name: image[None] for name, image in images.items()}
    made: dict[str, Call] = {EAGER: eager(model, images)}
    for label, name, options in FORMS:
        if name == "openvino" and find_spec("openvino") is None:
            continue
        path = written(recipe, model, name, options, folder)
        engine, predictor = open_engine(path, threads=1), Predictor(path, threads=1)
        made[f"{label}, raw"] = partial(engine.run, ["score"], batch)
        made[f"{label}, ours"] = partial(predictor, **images)
    return made


def measured(made: dict[str, Call], repeat: int) -> dict[str, float]:
    """Median milliseconds of each, called by turns; a tenth of the turns are not counted."""
    taken: dict[str, list[float]] = {name: [] for name in made}
    for turn in range(repeat + repeat // 10 + 1):
        for name, call in made.items():
            start = perf_counter()
            call()
            if turn > repeat // 10:
                taken[name].append(1e3 * (perf_counter() - start))
    return {name: median(times) for name, times in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=list(NETWORKS), help="One network.")
    parser.add_argument("--repeat", type=int, default=100, help="Calls of each (default 100).")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name, network in NETWORKS.items():
        if arguments.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = measured(calls(recipe_of(network), Path(folder)), arguments.repeat)
        print(f"{name}, {SIZE} px, batch 1, one thread")
        for label, taken in found.items():
            print(f"  {label:24} {taken:7.2f} ms  {found[EAGER] / taken:5.2f} x eager", end="")
            raw = found.get(label.replace("ours", "raw"))
            print(f"  {taken / raw - 1:+.1%} over raw" if label.endswith("ours") and raw else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
