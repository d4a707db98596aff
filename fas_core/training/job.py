"""A training job from end to end: data, run folder, training, the tables at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.config.recipe import Recipe
from fas_core.console import Table, console
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice
from fas_core.errors import DataError, FasError
from fas_core.evaluation import REPLICATES, Result, bind_metrics, evaluate, tables
from fas_core.inference.loaded_model import open_model
from fas_core.inference.score_samples import protocol_notes, score_samples
from fas_core.models.pretrained import load_pretrained
from fas_core.records.samples import SampleTable
from fas_core.registry import Registry
from fas_core.runs.group import RESULTS, is_finished
from fas_core.runs.run import Run
from fas_core.scores.table import ScoreTable
from fas_core.training.device import accelerator_for
from fas_core.training.trainer import Training, check_trainable

JUDGED = ("dev", "test")
"""The splits that a finished run is judged on."""


@frozen(eq=False)
class Outcome:
    """A finished run and what it is worth: `{split: Result}` of the best weights."""

    run: Run
    results: dict[str, Result]
    train_hours: float

    def tables(self) -> list[Table]:
        """What there is to print of it."""
        return tables(list(self.results.values()), train_hours=self.train_hours)


def start(path: Path, recipe: Recipe, registry: Registry, *, reader: DatasetReader | None = None) -> Outcome:
    """Train a recipe into a new run folder, and judge it.

    Args:
        path: the folder.
        recipe: what is trained.
        registry: of what it names.
        reader: the recipe's data set where it is open already, as for several runs of it.

    Raises:
        FasError: data, recipe or place cannot be used; nothing is written then.
        KeyboardInterrupt: Ctrl-C; the run can be continued.
    """
    accelerator = accelerator_for(recipe.train)
    with accelerator.main_process_first():
        reader = reader or open_choice(recipe.data, registry)
    train, dev = training_splits(reader, recipe)
    run = Run(path, recipe, registry)
    training = Training.prepare(run, train, dev, accelerator)
    taken = load_pretrained(training.unwrapped_model, recipe, registry)
    if accelerator.is_main_process:
        run.create()
        for branch in taken:
            console.info(f"pretrained {branch.describe()}")
        console.info(f"run {path}: {describe(recipe)}")
        console.info(f"train {counted(train)}" + (f"; dev {counted(dev)}" if dev else "; no dev split"))
    return _finish(training, reader)


def resume(
    path: Path, registry: Registry, changes: Mapping[str, Any], *, reader: DatasetReader | None = None
) -> Outcome:
    """Continue a run exactly where it was, to its last epoch (`changes` may move that).

    Args:
        path: the folder.
        registry: of what the recipe names.
        changes: of the recipe, `{"train.epochs": 20}`.
        reader: as of `start`.

    Raises:
        FasError: it is no run, or its state does not fit.
        KeyboardInterrupt: Ctrl-C; as before.
    """
    run = Run.open(path, registry).changed(changes)
    accelerator = accelerator_for(run.recipe.train)
    reader = reader or open_choice(run.recipe.data, registry)
    train, dev = training_splits(reader, run.recipe)
    training = Training.prepare(run, train, dev, accelerator)
    training.restore()
    if accelerator.is_main_process:
        run.write_recipe()
        console.info(f"run {path}: continued at {training.progress.describe()}")
    return _finish(training, reader)


def carry_on(run: Run, changes: Mapping[str, Any], *, reader: DatasetReader | None = None) -> None:
    """Train a run of a set as far as it is not trained yet: from the start, from where it was, or not at all.

    Raises:
        FasError, KeyboardInterrupt: as of `start` and `resume`.
    """
    if is_finished(run):
        console.info(f"run {run.path}: trained before")
    elif (run.path / "state.pt").is_file():
        (run.path / RESULTS).unlink(missing_ok=True)  # they are of fewer epochs
        resume(run.path, run.registry, changes, reader=reader)
    else:
        (run.path / "recipe.yaml").unlink(missing_ok=True)  # all there is of one killed in its first epoch
        start(run.path, run.recipe, run.registry, reader=reader)


def _finish(training: Training, reader: DatasetReader) -> Outcome:
    training.fit()
    run, results = training.run, {}
    if training.accelerator.is_main_process:
        results = judge_splits(run, reader)
        hours = training.progress.total_seconds / 3600
        record = {
            "train_hours": hours,
            "data": {split: reader.samples(split).fingerprint() for split in reader.splits()},
            "splits": {split: result.to_json() for split, result in results.items()},
        }
        run.write_text(RESULTS, json.dumps(record, indent=2) + "\n")
    return Outcome(run, results, training.progress.total_seconds / 3600)


def judge_splits(run: Run, reader: DatasetReader) -> dict[str, Result]:
    """Judge dev and test by the best weights, as far as they are there and labelled.

    Training left those weights' scores of dev, if it could be judged; test is scored now.

    Of a run without a fold, that is. Of one with, the fold alone: test is for the model of all folds.
    """
    candidate = open_model(run.path, run.registry)
    metrics = bind_metrics(candidate.metrics, run.registry)
    results: dict[str, Result] = {}
    for split in JUDGED if run.recipe.data.held_out is None else ("dev",):
        if split not in reader.splits():
            continue
        scores = run.kept_scores(split) if split == "dev" else None
        if scores is None:
            scores = score_samples(
                candidate.scorer,
                reader.samples(split),
                model_input=candidate.input,
                workers=run.recipe.train.workers,
                description=split,
            )
            scores.write(run.scores(split))
        if scores.is_labelled():
            results[split] = evaluate(
                scores,
                metrics,
                candidate.own_threshold,
                name=split,
                notes=protocol_notes(reader, candidate.own_threshold),
                replicates=REPLICATES,
            )
    return results


def judge_stored(
    run: Run, reader: DatasetReader, *, name: str | None = None, replicates: int = 0
) -> dict[str, Result]:
    """The same of the scores that a finished run left.

    Args:
        run: the run.
        reader: its data set.
        name: what the results are called; None for their split.
        replicates: as of `fas_core.evaluation.judge`.
    """
    there = {split: ScoreTable.read(run.scores(split)) for split in JUDGED if run.scores(split).is_file()}
    metrics = bind_metrics(run.recipe.metrics, run.registry)
    try:
        threshold = run.threshold()
    except FasError:
        threshold = None
    notes = protocol_notes(reader, threshold)
    return {
        split: evaluate(scores, metrics, threshold, name=name or split, notes=notes, replicates=replicates)
        for split, scores in there.items()
        if scores.is_labelled()
    }


def training_splits(reader: DatasetReader, recipe: Recipe) -> tuple[SampleTable, SampleTable | None]:
    """Train and dev, checked: dev is None where the protocol has none, or it cannot be judged.

    Raises:
        DataError: no train split, one class, or a modality that is missing.
    """
    if "train" not in reader.splits():
        raise DataError(
            f"data set {recipe.data.name!r}: has no train split (it has {', '.join(reader.splits())})"
        )
    train = reader.samples("train").need(recipe.modalities)
    check_trainable(train)
    if "dev" not in reader.splits():
        return train, None
    dev = reader.samples("dev").need(recipe.modalities)
    counts = dev.counts()
    if not (counts.get("live") and counts.get("attack")) or counts.get("unknown"):
        console.warn(f"dev ({counted(dev)}) cannot be judged: the last weights are kept as the best")
        return train, None
    return train, dev


def describe(recipe: Recipe) -> str:
    """`feathernet_b, concat_linear of rgb, depth, ir at 128 px, on synthetic`."""
    backbone = recipe.model.backbone
    chosen = {item.name for item in backbone.values()} if isinstance(backbone, dict) else {backbone.name}
    return (
        f"{' + '.join(sorted(chosen))}, {recipe.model.fusion.name} of {', '.join(recipe.modalities)} "
        f"at {recipe.model.input_size} px, on {recipe.data.name}"
    )


def counted(samples: SampleTable) -> str:
    """`1200 samples (400 live, 800 attack)`."""
    counts = samples.counts()
    total = counts.pop("total")
    return f"{total} samples ({', '.join(f'{count} {name}' for name, count in counts.items())})"
