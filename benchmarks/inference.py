"""Measure the time from a uint8 image in memory to a score, batch 1: exports of `fas` against eager PyTorch.

    python benchmarks/inference.py
    python benchmarks/inference.py --only mobilelitenet54 --repeat 200
    python benchmarks/inference.py --run runs/trial  # exports of a run, pruned ones included
    python benchmarks/inference.py --processor-time  # on a machine that does other work, too

Compared in the same process: the network in eager PyTorch as published code runs it (convert to float,
normalise, network, softmax), the inference engine alone on the same graph, and the runtime of `fas` around
it. Each is called a few times in a row, as for a camera, and all in turn, so that a busy machine slows all
alike. Networks have random weights, because speed does not depend on them. How much can be pruned does, so
the pruned form needs a run; its exports are verified on its data as `fas export` does. Printed are medians
and ratios of medians.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from math import inf
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch
from attrs import evolve, frozen

from fas_core.card import Card
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.contracts import Exported, Images, Scorer, Verification, Verify
from fas_core.descriptors import Exporter
from fas_core.errors import ModelError
from fas_core.exporting.benchmark import EAGER, Call, call_eager, describe_speed, measure, recommend
from fas_core.exporting.cpu import describe_cpu
from fas_core.exporting.verify import compare_on
from fas_core.library_settings import openvino_core
from fas_core.models.build import build_model
from fas_core.models.model import Model, scorer
from fas_core.records.model_input import ModelInput, Resize
from fas_core.registry import registry
from fas_core.runs.card import build_card
from fas_core.runs.run import Run
from fas_core.runtime import Predictor
from fas_core.scores.thresholds import Threshold

SIZE = 224
NETWORKS: dict[str, dict[str, Any]] = {
    "feathernet_b": {"modalities": ["rgb"], "backbone": "feathernet_b", "fusion": "single"},
    "cdcn of three": {"modalities": ["rgb", "depth", "ir"], "backbone": "feathernet_b", "fusion": "cdcn"},
    "mobilelitenet54": {"modalities": ["rgb"], "backbone": "mobilelitenet54", "fusion": "single"},
}
ENGINES = {"onnx": "onnxruntime", "openvino": "OpenVINO"}
RUN_FORMS = ("fp32", "int8", "pruned", "pruned-int8")
"""Of these each exporter writes those that it has."""
CALIBRATION, RUN_CALIBRATION, RUN_SAMPLES = 32, 256, 1000


@frozen(eq=False)
class Subject:
    """A model to export.

    Args:
        forms: the forms to export.
        verifier: returns the verification function for the file at a path.
    """

    name: str
    model: Model
    samples: Images
    card: Card
    forms: tuple[str, ...]
    verifier: Callable[[Path], Verify]


def build_random(name: str) -> Subject:
    """Build a network with random weights and batch-norm statistics; its exports are not verified."""
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


def load_run(path: Path) -> Subject:
    """Load a run's best weights, with samples of its data to verify exports on."""
    run = Run.open(path, registry())
    model, card = run.model("best"), build_card(run)
    comparison = compare_on(run, scorer(model), card, RUN_SAMPLES)
    samples = comparison.images(RUN_CALIBRATION)
    card = evolve(card, input=evolve(card.input, resize=Resize(crop=1.0)))  # the samples are already resized
    return Subject(str(path), model.cpu().eval(), samples, card, RUN_FORMS, comparison.verifier)


def call_onnxruntime(path: Path, images: Images) -> Call:
    """Return a call of onnxruntime alone."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    return lambda: session.run(["score"], images)


def call_openvino(path: Path, images: Images) -> Call:
    """Return a call of OpenVINO alone, whose input tensors are filled with the images of each call.

    That is the quickest way to give it another image: to make a tensor of each takes longer.
    """
    core = openvino_core(path)
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": 1,
    }
    request = core.compile_model(core.read_model(path), "CPU", settings).create_infer_request()
    inputs = {name: request.get_tensor(name).data for name in images}

    def score() -> Any:
        for name, tensor in inputs.items():
            tensor[...] = images[name]
        request.infer(share_outputs=True)
        return request.get_tensor("score").data.copy()

    return score


def export(subject: Subject, name: str, form: str, folder: Path) -> Exported:
    exporter = registry().find(Exporter, name)
    assert isinstance(exporter, Exporter)
    options = structure({"form": form}, exporter.options, registry(), name)
    path = folder / f"{form}{exporter.suffix}"
    exported = exporter.load()(
        options,
        model=subject.model,
        samples=subject.samples,
        destination=path,
        card=subject.card,
        verify=subject.verifier(path),
    )
    assert isinstance(exported, Exported)
    return exported


def build_calls(subject: Subject, folder: Path) -> tuple[dict[str, Call], dict[str, Exported]]:
    """Return the calls to time, by name, and the exported files."""
    batch = {name: values[:1] for name, values in subject.samples.items()}
    images = {name: values[0] for name, values in batch.items()}
    calls: dict[str, Call] = {EAGER: call_eager(subject.model, batch)}
    files: dict[str, Exported] = {}
    for name, engine_name in ENGINES.items():
        if name == "openvino" and find_spec("openvino") is None:
            continue
        forms = registry().find(Exporter, name).forms
        for form in (form for form in subject.forms if form in forms):
            label = f"{engine_name} {form}"
            try:
                files[label] = export(subject, name, form, folder)
            except ModelError as error:
                print(f"  {label}: {error}")
                continue
            path = files[label].path
            calls[f"{label}, raw"] = (call_onnxruntime if name == "onnx" else call_openvino)(path, batch)
            calls[f"{label}, fas"] = partial(Predictor(path, threads=1, detect=False), **images)
    return calls, files


def report(subject: Subject, milliseconds: dict[str, float], files: dict[str, Exported]) -> None:
    """Print a line for each call; ACER on dev, and what it costs, where a run's data tells."""
    print(f"{subject.name}, {subject.card.input.face_size} px, batch 1, one thread")
    for label, time in milliseconds.items():
        form, _, kind = label.partition(", ")
        line = f"  {label:28} {time:7.2f} ms  {milliseconds[EAGER] / time:5.2f} x eager"
        if kind == "fas":
            exported = files[form]
            speed = describe_speed(form, exported, time, milliseconds[EAGER])
            line += f"  {time / milliseconds[f'{form}, raw'] - 1:+6.1%} over raw"
            if speed.acer is not None and speed.acer_change is not None:
                facts = "".join(f", {key} {value}" for key, value in exported.facts.items())
                line += f"  ACER {speed.acer:.2%}, {100 * speed.acer_change:+.2f} points{facts}"
        print(line)
    speeds = [
        describe_speed(label, exported, milliseconds[f"{label}, fas"], milliseconds[EAGER])
        for label, exported in files.items()
    ]
    if best := recommend(speeds):
        print(f"  recommended: {best.text()}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--only", choices=list(NETWORKS), help="Measure this network only.")
    group.add_argument("--run", type=Path, help="Measure the model of this run instead.")
    parser.add_argument("--repeat", type=int, default=100, help="Number of calls of each (default 100).")
    parser.add_argument("--processor-time", action="store_true", help="Measure this instead of wall time.")
    arguments = parser.parse_args()
    clock = process_time if arguments.processor_time else perf_counter
    torch.set_num_threads(1)
    print(f"{describe_cpu().text()}; medians of {'processor' if arguments.processor_time else 'wall'} time")
    names = [arguments.only] if arguments.only else list(NETWORKS)
    subjects = [load_run(arguments.run)] if arguments.run else map(build_random, names)
    for subject in subjects:
        with tempfile.TemporaryDirectory() as folder:
            calls, files = build_calls(subject, Path(folder))
            report(subject, measure(calls, arguments.repeat, inf, clock), files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
