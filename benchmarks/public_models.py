"""Evaluate public models and your own on the photos of a data set: the table of docs/public-models.md.

Usage: python benchmarks/public_models.py nuaa:/data/NUAA [--every 4] [--model RUN_OR_FILE ...] [--output DIR]

Every public model that `fas models get` has fetched is evaluated, and the runs and files of --model.
Faces are detected once; each model crops the photos around these boxes by its own scale, and models of
fas that state none take the square of `fas data crop`. A photo without a face has no score. Intervals are
of a bootstrap over people. "Calibrated" is the ACER at thresholds that `fas calibrate` would set on the
live photos of three people, of all other people: the mean over all choices of three, and the worst.
Latency is of the network alone: one face, one thread, the median CPU time of 50 calls. The folder of
--output gets the table, the figures as JSON, the boxes, which another run reads again, and every model's
scores as a file that `fas score` reads.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import statistics
import time
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from attrs import frozen
from numpy.typing import NDArray

from fas_core.atomic import write_text
from fas_core.data.detectors import FaceDetector, face_detector
from fas_core.data.faces import largest, square_around
from fas_core.data.fetched_models import PREFIX, is_public_model, public_model_folder, resolve_model
from fas_core.data.images import read_image
from fas_core.data.open import open_dataset
from fas_core.data.parallel import cores, ordered
from fas_core.errors import FasError
from fas_core.evaluation import Result, evaluate
from fas_core.evaluation.calibration import CalibrationPlan, calibrate
from fas_core.evaluation.groups import parse_metric
from fas_core.evaluation.metrics import BoundMetric, bind_metrics
from fas_core.inference.loaded_model import LoadedModel, load_model
from fas_core.inference.score_samples import score_samples
from fas_core.records.samples import COLUMNS, SampleTable, concat
from fas_core.registry import registry
from fas_core.runs.files import is_model
from fas_core.runtime.face_selection import FaceSelector
from fas_core.runtime.model_file import ModelFile
from fas_core.scores.table import LIVE, ScoreTable

METRICS = ("eer", "auc", "apcer_at_bpcer:0.01,0.05", "apcer", "bpcer", "acer")
MARGIN = 0.1
"""Of the crops that the models of fas are trained on, see `fas data crop`."""
CALLS = 50
CALIBRATING = 3
"""People on whose live photos a threshold is calibrated."""


@frozen
class Photos:
    """The photos of a split with the largest face of each.

    Args:
        faces: each box is that of the detector; a photo without a face has none.
        crops: each box is the square of `fas data crop`.
        missing: number of photos without a face.
    """

    faces: SampleTable
    crops: SampleTable
    missing: int

    @classmethod
    def of(cls, samples: SampleTable, detector: FaceDetector, stored: Path) -> Photos:
        """Detect the faces of all photos, or read from `stored` what an earlier run detected."""
        known = json.loads(stored.read_text()) if stored.is_file() else {}

        def detect(row: int) -> list[list[float] | None]:
            """Return the box of the largest face, and the square around it."""
            sample = str(samples.table.column("id")[row])
            if sample not in known:
                photo = read_image(samples.path(row, samples.modalities[0]))
                face = largest(detector(photo))
                square = None if face is None else square_around(face.box, MARGIN, photo.shape)
                known[sample] = [None if face is None else [*face.box], square and [*square]]
            return known[sample]

        boxes = list(ordered(detect, range(len(samples)), cores()))
        write_text(stored, json.dumps(known))
        missing = sum(box is None for box, _ in boxes)
        faces, squares = ([pair[index] for pair in boxes] for index in (0, 1))
        return cls(_with_boxes(samples, faces), _with_boxes(samples, squares), missing)


def _with_boxes(samples: SampleTable, boxes: Sequence[list[float] | None]) -> SampleTable:
    """Return the samples that have a box, each with its box."""
    columns = {name: samples.table.column(name) for name in (*COLUMNS, *samples.modalities)}
    columns |= {"box": list(boxes)}
    table = SampleTable.of(columns, modalities=samples.modalities, root=samples.root)
    return table.take(np.array([box is not None for box in boxes]))


def measure_latency(model: LoadedModel) -> float:
    """Return the median CPU time of one face in seconds, by one thread."""
    side = model.input.face_size
    images = {name: np.zeros((1, side, side, 3), np.uint8) for name in model.input.modalities}
    scorer = ModelFile(model.path, threads=1) if is_model(model.path) else model.scorer
    durations = []
    for _ in range(CALLS + 5):
        start = time.process_time()
        scorer(images)
        durations.append(time.process_time() - start)
    return statistics.median(durations[5:])


def calibrate_on_choices(model: LoadedModel, scores: ScoreTable) -> list[float]:
    """Return the ACER of each choice of people to calibrate on, whatever the photos of the others."""
    people = np.array(scores.table.column("subject"), object)
    rates = []
    for choice in itertools.combinations(sorted(set(people)), CALIBRATING):
        is_chosen = np.isin(people.astype(str), choice)
        site = _take(scores, is_chosen & (scores.labels == LIVE))
        others = _take(scores, ~is_chosen).rates
        if len(site) and others.has_both_classes:
            plan = CalibrationPlan()
            value = calibrate(site, model.shipped_threshold, model.reference, plan, date="").threshold.value
            rates.append(float(others.apcer(value) + others.bpcer(value)) / 2)
    return rates


def _take(scores: ScoreTable, rows: NDArray[np.bool_]) -> ScoreTable:
    return ScoreTable(scores.table.filter(pa.array(rows)))


@frozen
class Row:
    """The figures of one model; `calibrated` as `calibrate_on_choices` returns it, latency in seconds."""

    result: Result
    calibrated: Sequence[float]
    latency: float
    training: str


def evaluate_model(name: str, photos: Photos, metrics: Sequence[BoundMetric], output: Path) -> Row:
    """Score and evaluate one model."""
    model = load_model(resolve_model(name), registry())
    if model.faces is not None:  # photos without a face were left out, so that boxes alone count
        faces = FaceSelector(False, model.faces.settings, model.input)
        scores = score_samples(model.scorer, photos.faces, model_input=model.input, faces=faces)
    else:
        scores = score_samples(model.scorer, photos.crops, model_input=model.input)
    scores.write(output / f"{name.removeprefix(PREFIX).replace('/', '_')}.csv")
    result = evaluate(scores, metrics, model.own_threshold, name=name, replicates=1000)
    training = model.note or f"trained by fas on {model.data and model.data.name}"
    return Row(result, calibrate_on_choices(model, scores), measure_latency(model), training)


def format_row(name: str, row: Row) -> str:
    """Return one row of the table in Markdown."""
    names = ("eer", "auc", "apcer@bpcer=1e-2", "apcer@bpcer=5e-2", "apcer", "bpcer", "acer")
    cells = [name, *(_format_cell(row.result, figure) for figure in names)]
    rates = [100 * rate for rate in row.calibrated]
    cells += [f"{np.mean(rates):.1f} ({max(rates):.1f})" if rates else "-", f"{1e3 * row.latency:.1f}"]
    return f"| {' | '.join(cells)} |"


def _format_cell(result: Result, name: str) -> str:
    value = result.metrics.get(name)
    if value is None or not isfinite(value):
        return "-"
    factor, digits = (1.0, 3) if name == "auc" else (100.0, 1)
    text = f"{factor * value:.{digits}f}"
    if result.intervals is None or name not in result.intervals.figures:
        return text
    low, high = result.intervals.figures[name]
    return f"{text} ({factor * low:.{digits}f} to {factor * high:.{digits}f})"


HEADER = (
    "| model | EER, % | AUC | APCER at BPCER 1 % | APCER at BPCER 5 % "
    "| APCER, % | BPCER, % | ACER, % | ACER calibrated, % | ms |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="data set, as for fas eval --data")
    parser.add_argument("--split", default="test", help="one or several, e.g. train,dev,test")
    parser.add_argument("--every", type=int, default=1, help="evaluate every n-th photo")
    parser.add_argument("--detector", help="as for fas predict")
    parser.add_argument("--model", action="append", default=[], help="a run or a model file; may be repeated")
    parser.add_argument("--output", type=Path, default=Path("public-models"))
    arguments = parser.parse_args()
    detector = face_detector(arguments.detector)
    reader = open_dataset(arguments.data, None, registry())
    samples = concat([reader.samples(split) for split in arguments.split.split(",")])
    samples = samples.take(range(0, len(samples), arguments.every))
    photos = Photos.of(samples, detector, arguments.output / f"boxes-{detector.name}.json")
    metrics = bind_metrics([parse_metric(text, registry()) for text in METRICS], registry())
    folder = public_model_folder("")
    fetched = (
        sorted(path.name for path in folder.iterdir() if is_public_model(path)) if folder.is_dir() else []
    )
    document: dict[str, Any] = {"data": arguments.data, "every": arguments.every, "models": []}
    counts = photos.faces.counts()
    lines = [
        f"{counts.get('live', 0)} live photos and {counts.get('attack', 0)} attacks with a face; "
        f"{photos.missing} photos without one; detector {detector.name}; {platform.machine()}",
        "",
        HEADER,
    ]
    for name in [*(f"{PREFIX}{name}" for name in fetched), *arguments.model]:
        try:
            row = evaluate_model(name, photos, metrics, arguments.output)
        except FasError as error:
            print(f"skipped: {name}: {error.message}")
            continue
        lines.append(format_row(name.removeprefix(PREFIX), row))
        figures = row.result.to_json() | {"calibrated": row.calibrated, "latency": row.latency}
        document["models"].append(figures | {"training": row.training})
        print(lines[-1], flush=True)
    write_text(arguments.output / "table.md", "\n".join(lines) + "\n")
    write_text(arguments.output / "figures.json", json.dumps(document, indent=2) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
