"""From a uint8 image in memory to a score, batch 1: what `fas export` writes, against what people run today.

    python benchmarks/inference.py
    python benchmarks/inference.py --only mobilelitenet54 --repeat 200
    python benchmarks/inference.py --run runs/trial  # its exports, pruned ones among them

Peers, in the same run: the network in eager PyTorch (as published code is run: to float, normalise,
network, softmax), the engine alone on the same graph, and our runtime around it. Each is called a few times
in a row, as a camera does it, and all by turns, so that a busy machine slows all alike. Networks have fresh
weights, for speed does not depend on them; how much can be pruned does, so that form needs a run, whose
exports are verified on its data as `fas export` does it. Medians, and ratios of medians.
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
from attrs import evolve, frozen

from fas_core.card import Card
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.contracts import Exported, Images, Scorer, Verification, Verify
from fas_core.descriptors import Exporter
from fas_core.export.verify import compare_on
from fas_core.models.build import build_model
from fas_core.models.model import Model, scorer
from fas_core.records.model_input import ModelInput, Resize
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.runtime import Predictor
from fas_core.runtime.engines import open_engine
from fas_core.scores.thresholds import Threshold

SIZE = 224
NETWORKS: dict[str, dict[str, Any]] = {
    "feathernet_b": {"modalities": ["rgb"], "backbone": "feathernet_b", "fusion": "single"},
    "cdcn of three": {"modalities": ["rgb", "depth", "ir"], "backbone": "feathernet_b", "fusion": "cdcn"},
    "mobilelitenet54": {"modalities": ["rgb"], "backbone": "mobilelitenet54", "fusion": "single"},
}
ENGINES = {"onnx": "onnxruntime", "openvino": "OpenVINO"}
EAGER = "eager PyTorch"
CALIBRATION, RUN_CALIBRATION, RUN_SAMPLES = 32, 256, 1000
IN_A_ROW = 10
Call = Callable[[], Any]


@frozen(eq=False)
class Subject:
    """A model to be exported.

    Args:
        forms: that it is exported in.
        verifier: what verifies the file of a path.
    """

    name: str
    model: Model
    samples: Images
    card: Card
    forms: tuple[str, ...]
    verifier: Callable[[Path], Verify]


def fresh(name: str) -> Subject:
    """One of the networks, its batch norms with statistics of something, and nothing to verify it on."""
    network = NETWORKS[name]
    choice = {"backbone": network["backbone"], "fusion": network["fusion"], "input_size": SIZE}
    tree = {"modalities": network["modalities"], "model": choice}
    recipe = structure(tree, Recipe, registry(), "benchmark")
    torch.manual_seed(14)
    model = build_model(recipe, registry())
    noise = torch.randint(0, 256, (4, SIZE, SIZE, 3), dtype=torch.uint8)
    with torch.no_grad():
        model.train()(dict.fromkeys(recipe.modalities, noise))
    rng, shape = np.random.default_rng(14), (CALIBRATION, SIZE, SIZE, 3)
    samples = {modality: rng.integers(0, 256, shape, np.uint8) for modality in recipe.modalities}
    card = Card(
        ModelInput(recipe.modalities, SIZE, resize=Resize(crop=1.0)), Threshold(0.5, "fixed:0.5", "given")
    )
    return Subject(name, model.eval(), samples, card, ("fp32", "int8"), lambda _: _unverified)


def _unverified(_: Scorer, **__: float | None) -> Verification:
    return Verification(samples=0, split="none", max_difference=0.0, mean_difference=0.0)


def trained(path: Path) -> Subject:
    """A run's model."""
    run = Run.open(path, registry())
    model, card = run.model("best"), run.card()
    comparison = compare_on(run, scorer(model), card, RUN_SAMPLES)
    samples = comparison.images(RUN_CALIBRATION)
    card = evolve(card, resize=Resize(crop=1.0))  # what is scored has been cut to size
    return Subject(
        str(path), model.cpu().eval(), samples, card, ("fp32", "int8", "pruned"), comparison.verifier
    )


def eager(model: Model, images: Images) -> Call:
    """As published code is run."""

    def score() -> float:
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(image) for name, image in images.items()}
            return float(model(tensors).score)

    return score


def written(subject: Subject, name: str, form: str, folder: Path) -> Exported:
    exporter = registry().find(Exporter, name)
    assert isinstance(exporter, Exporter)
    options = structure({"form": form}, exporter.options, registry(), name)
    path = folder / f"{form}{exporter.suffix}"
    done = exporter.load()(
        options,
        model=subject.model,
        samples=subject.samples,
        destination=path,
        card=subject.card,
        verify=subject.verifier(path),
    )
    assert isinstance(done, Exported)
    return done


def calls(subject: Subject, folder: Path) -> tuple[dict[str, Call], dict[str, Exported]]:
    """What is measured of one model, by name, and the files."""
    batch = {name: values[:1] for name, values in subject.samples.items()}
    images = {name: values[0] for name, values in batch.items()}
    made: dict[str, Call] = {EAGER: eager(subject.model, batch)}
    files: dict[str, Exported] = {}
    for name, engine_name in ENGINES.items():
        if name == "openvino" and find_spec("openvino") is None:
            continue
        for form in subject.forms:
            label = f"{engine_name} {form}"
            files[label] = written(subject, name, form, folder)
            engine, predictor = (kind(files[label].path, threads=1) for kind in (open_engine, Predictor))
            made[f"{label}, raw"] = partial(engine.run, ["score"], batch)
            made[f"{label}, ours"] = partial(predictor, **images)
    return made, files


def measured(made: dict[str, Call], repeat: int) -> dict[str, float]:
    """Median milliseconds of each; the first of each row, and the whole first turn, are not counted."""
    taken: dict[str, list[float]] = {name: [] for name in made}
    for turn in range(1 + -(-repeat // (IN_A_ROW - 1))):
        for name, call in made.items():
            for place in range(IN_A_ROW):
                start = perf_counter()
                call()
                if turn and place:
                    taken[name].append(1e3 * (perf_counter() - start))
    return {name: median(times) for name, times in taken.items()}


def report(subject: Subject, found: dict[str, float], files: dict[str, Exported]) -> None:
    print(f"{subject.name}, {subject.card.input.face_size} px, batch 1, one thread")
    for label, taken in found.items():
        print(f"  {label:24} {taken:7.2f} ms  {found[EAGER] / taken:5.2f} x eager", end="")
        raw = found.get(label.replace("ours", "raw"))
        print(f"  {taken / raw - 1:+.1%} over raw" if label.endswith("ours") and raw else "")
    for label, done in files.items():
        check = done.verification
        if check.acer_before is not None and check.acer_after is not None:
            facts = "".join(f", {key} {value}" for key, value in done.facts.items())
            print(f"  {label}: ACER on dev {check.acer_before:.2%} -> {check.acer_after:.2%}{facts}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", choices=list(NETWORKS), help="One network.")
    which.add_argument("--run", type=Path, help="A run's model instead.")
    parser.add_argument("--repeat", type=int, default=100, help="Calls of each (default 100).")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    names = [arguments.only] if arguments.only else list(NETWORKS)
    for make in (
        [partial(trained, arguments.run)] if arguments.run else [partial(fresh, name) for name in names]
    ):
        subject = make()
        with tempfile.TemporaryDirectory() as folder:
            made, files = calls(subject, Path(folder))
            report(subject, measured(made, arguments.repeat), files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
