"""Cross-validation: a run for each fold of train, a threshold of what they scored unseen, a run on it all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from attrs import evolve, frozen

from fas_core.atomic import replacing
from fas_core.config.recipe import Recipe
from fas_core.console import Table, console
from fas_core.data.folds import Folds, plural, shared_groups, straddling_subjects
from fas_core.data.open import open_choice
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.evaluation import REPLICATES, Result, bind_metrics, evaluate, tables
from fas_core.evaluation.cross_validation import CrossValidation, cross_validation_tables
from fas_core.evaluation.protocols import spread
from fas_core.inference.score_samples import protocol_notes
from fas_core.registry import Registry
from fas_core.runs.folds import FINAL, FoldRuns
from fas_core.runs.group import RESULTS, is_main_process, naming
from fas_core.runs.run import OUT_OF_FOLD, Run, refuse_taken
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold
from fas_core.training import job


@frozen(eq=False)
class FoldsOutcome:
    """A finished cross-validation.

    Args:
        results: what the out-of-fold scores are worth; None but in the process that writes.
        final: `{split: Result}` of the final run; empty where there is none.
        train_hours: of that run.
    """

    results: CrossValidation | None
    final: dict[str, Result]
    train_hours: float

    def tables(self) -> list[Table]:
        """What there is to print of it."""
        found = [] if self.results is None else cross_validation_tables(self.results)
        return found + (tables(list(self.final.values()), train_hours=self.train_hours) if self.final else [])


def start(path: Path, recipe: Recipe, registry: Registry, *, final: bool) -> FoldsOutcome:
    """Train a recipe that has folds: each of them left out once and, where `final`, on all of train.

    Whatever the recipe selects, the weights that count are those of the last epoch: to choose an epoch by the
    scores that the threshold is fitted on, or by those of people in train, is what folds are to avoid.

    Raises:
        FasError: the recipe, the place or the data cannot be used, or there are no such folds.
        KeyboardInterrupt: Ctrl-C; `resume` goes on.
    """
    if recipe.data.held_out is not None:
        raise ConfigError("folds are of the whole train split: leave data.held_out away")
    recipe = evolve(recipe, train=evolve(recipe.train, select="last"))
    folds = _open(recipe, registry)
    folds_set = FoldRuns(path, recipe, registry, final, folds.digest())
    if is_main_process():
        refuse_taken(path)
        folds_set.write()
    return _train(folds_set, folds, {})


def resume(
    path: Path, registry: Registry, changes: Mapping[str, Any], *, final: bool | None = None
) -> FoldsOutcome:
    """Go on where it stopped: finished runs stay, an interrupted one is continued, the others are trained.

    Args:
        path: the folder.
        registry: of what the recipe names.
        changes: of the recipe, as of `fas_core.training.job.resume`.
        final: whether there is to be a final run; None: as before.

    Raises:
        FasError: as of `start`, the samples are not those that the folds were made of, or a run's state does
            not fit.
        KeyboardInterrupt: Ctrl-C; as before.
    """
    folds_set = FoldRuns.open(path, registry)
    folds_set = evolve(
        folds_set,
        recipe=Run(path, folds_set.recipe, registry).changed(changes).recipe,
        final=folds_set.final if final is None else final,
    )
    folds = _open(folds_set.recipe, registry)
    if folds.digest() != folds_set.digest:
        raise DataError(
            f"{path}: its folds were made of other samples than {folds.train.root} now has: train anew"
        )
    if is_main_process():
        folds_set.write()
    return _train(folds_set, folds, changes)


def _open(recipe: Recipe, registry: Registry) -> Folds:
    """The data set's folds, looked at before the first is trained."""
    assert recipe.folds is not None
    reader = open_choice(recipe.data, registry)
    job.training_splits(reader, recipe)
    return Folds.of(reader, recipe.folds, recipe.train.seed)


def _train(folds_set: FoldRuns, folds: Folds, changes: Mapping[str, Any]) -> FoldsOutcome:
    """Every run to its end; the out-of-fold scores as soon as they are there."""
    runs = folds_set.fold_runs()
    for number, (name, run) in enumerate(runs.items(), 1):
        _say(f"{folds_set.spec}, {number} of {len(runs)}: {name}")
        with naming(name):
            job.carry_on(run, changes, reader=folds.holding_out(number))
    final = folds_set.final_run()
    if is_main_process():
        scores = _pooled(folds_set.path, folds, runs)
        scores.write(folds_set.path / f"{OUT_OF_FOLD}.csv", {"fold": folds.scored_numbers})
        if folds_set.final:
            scores.write(final.scores(OUT_OF_FOLD), {"fold": folds.scored_numbers})
    if folds_set.final:
        _say(f"{folds_set.spec}: {FINAL}, on all of train")
        with naming(FINAL):
            job.carry_on(final, changes, reader=folds.reader)
    return _judged(folds_set, folds, runs) if is_main_process() else FoldsOutcome(None, {}, 0.0)


def _pooled(path: Path, folds: Folds, runs: Mapping[str, Run]) -> ScoreTable:
    """What each run gave its fold, in the order of `folds.scored`."""
    numbers = folds.scored_numbers
    rows = np.concatenate([np.flatnonzero(numbers == number) for number in range(1, len(runs) + 1)])
    table = pa.concat_tables([ScoreTable.read(run.scores("dev")).table for run in runs.values()])
    table = table.take(np.argsort(rows)) if len(table) == len(rows) else table
    if not table.column("id").equals(folds.scored.table.column("id")):
        raise DataError(f"{path}: the runs' scores are not those of the samples of their folds: train anew")
    return ScoreTable(table)


def _judged(folds_set: FoldRuns, folds: Folds, runs: Mapping[str, Run]) -> FoldsOutcome:
    """Judge the scores that every run left, and write the figures down."""
    final = folds_set.final_run()
    metrics = bind_metrics(folds_set.recipe.metrics, folds_set.registry)
    scores = ScoreTable.read(folds_set.path / f"{OUT_OF_FOLD}.csv")
    try:
        threshold = fit_threshold(final.recipe.threshold, scores, final.fitted_on)
    except FasError as error:
        console.warn(f"no threshold: {error.message}")
        threshold = None
    parts = [ScoreTable.read(run.scores("dev")) for run in runs.values()]
    results = CrossValidation(
        by=folds.by,
        groups=folds.groups,
        folds=spread(
            [evaluate(part, metrics, threshold, name=name) for name, part in zip(runs, parts, strict=True)]
        ),
        pooled=evaluate(
            scores, metrics, threshold, name="pooled", notes=(*_why(folds), *protocol_notes(folds.reader))
        ),
    )
    judged = job.judge_stored(final, folds.reader, replicates=REPLICATES) if folds_set.final else {}
    hours = {name: _hours(run) for name, run in runs.items()}
    hours |= {FINAL: _hours(final)} if folds_set.final else {}
    record = {
        "folds": folds_set.spec,
        "train_hours": sum(hours.values()),
        "out_of_fold": results.to_json(),
        "final": {split: result.to_json() for split, result in judged.items()} if folds_set.final else None,
    }
    with replacing(folds_set.path / RESULTS) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return FoldsOutcome(results, judged, hours.get(FINAL, 0.0))


def _hours(run: Run) -> float:
    return float(json.loads((run.path / RESULTS).read_text())["train_hours"])


def _why(folds: Folds) -> list[str]:
    """Whether this is the threshold to take, and why, as the tables of train and dev have it."""
    by, train, seen = plural(folds.by), folds.train, True
    added = len(folds.scored) - len(train)
    if "dev" not in folds.reader.splits():
        said = "there is no dev split that a threshold could be fitted on"
    elif (shared := shared_groups(train, folds.reader.samples("dev"), folds.by)) is None:
        said = f"dev does not say its {by}: whether train has them too is not known"
    elif seen := shared[0] > 0:
        said = f"dev shares {shared[0]} of its {shared[1]} {by} with train: its threshold is of {by} seen"
    else:
        said = f"dev shares none of its {shared[1]} {by} with train: its threshold is honest, too"
    several, subjects = straddling_subjects(train, folds.numbers)
    notes = [said] + ([f"{added} of the samples are dev's, of {by} held out"] if added else [])
    if several:
        return [*notes, f"{several} of {subjects} subjects are in several folds: scores are of people seen"]
    unseen = f"no model was trained on the {by} that it scores here"
    return [*notes, f"recommended: {unseen}" if seen else unseen]


def _say(text: str) -> None:
    if is_main_process():
        console.info(text)
