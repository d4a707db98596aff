"""Cross-validation: a run for each fold, a threshold fitted on the out-of-fold scores, a final run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from attrs import evolve, frozen

from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.data.fold_numbers import plural
from fas_core.data.folds import FoldAssignment, shared_groups, straddling_subjects
from fas_core.data.open import open_choice
from fas_core.data.threshold_advice import advise_on_folds
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.evaluation import Result, bind_metrics, bootstrap, evaluate, format_tables
from fas_core.evaluation.spread import CrossValidation, cross_validation_tables, spread
from fas_core.inference.evaluate_split import evaluate_stored
from fas_core.inference.score_samples import protocol_notes
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.groups import FINAL, FoldRuns, is_main_process, naming
from fas_core.runs.results import write_results
from fas_core.runs.run import Run, claim_folder
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold
from fas_core.text_table import Table
from fas_core.training import job
from fas_core.training.splits import training_splits


@frozen(eq=False)
class FoldsOutcome:
    """The figures of the out-of-fold scores, and those of the final run, `{split: Result}`, with its hours.

    `results` is None but in the process that writes; `final` is empty where there is no final run.
    """

    results: CrossValidation | None
    final: dict[str, Result]
    train_hours: float

    def tables(self) -> list[Table]:
        """Return the tables of the figures."""
        folded = [] if self.results is None else cross_validation_tables(self.results)
        final = format_tables(list(self.final.values()), train_hours=self.train_hours) if self.final else []
        return folded + final


def start(path: Path, recipe: Recipe, registry: Registry, *, final: bool) -> FoldsOutcome:
    """Train a recipe that has folds: each of them left out once and, where `final`, on all of train.

    Whatever the recipe selects, the weights of the last epoch count: to choose an epoch by the scores that
    the threshold is fitted on, or by those of people in train, is what folds are to avoid.

    Raises:
        FasError: the recipe, the folder or the data cannot be used, or there are no such folds.
        Interrupted: by a signal; `resume` continues.
    """
    if recipe.data.held_out is not None:
        raise ConfigError("folds are of the whole train split: leave data.held_out away")
    if recipe.train.patience is not None:
        raise ConfigError("train.patience: a fold would end by the scores that it is judged on: leave it out")
    recipe = evolve(recipe, train=evolve(recipe.train, select="last"))
    folds = _open(recipe, registry)
    recipe = evolve(recipe, folds=folds.spec)
    fold_runs = FoldRuns(path, recipe, registry, final, folds.digest())
    if is_main_process():
        claim_folder(path)
        fold_runs.write()
    return _train(fold_runs, folds, {})


def resume(
    fold_runs: FoldRuns, changes: Mapping[str, Any], *, final: bool | None = None, anyway: bool = False
) -> FoldsOutcome:
    """Continue: finished runs stay, an interrupted one is continued, the others are trained.

    `changes` are of the recipe, see `fas_core.training.job.resume`. `final` is whether there is to be a final
    run; None: as before. Raises as `start` does; also FasError where the samples are not those that the folds
    were made of, a run's training state does not fit or, unless `anyway`, a run was trained with other data,
    another recipe or other versions.
    """
    path, registry = fold_runs.path, fold_runs.registry
    recipe = Run(path, fold_runs.recipe, registry).changed(changes).recipe
    fold_runs = evolve(fold_runs, recipe=recipe, final=fold_runs.final if final is None else final)
    folds = _open(fold_runs.recipe, registry)
    if folds.digest() != fold_runs.digest:
        root = folds.train.root
        raise DataError(f"{path}: its folds were made of other samples than {root} now has: train anew")
    if not anyway:
        _check_unchanged(fold_runs, folds)
    if is_main_process():
        fold_runs.write()
    return _train(fold_runs, folds, changes, anyway=anyway)


def _check_unchanged(fold_runs: FoldRuns, folds: FoldAssignment) -> None:
    """Raise FasError where a run that has begun was trained with other things than the next ones would be."""
    readers = {name: folds.hold_out(number) for number, name in enumerate(fold_runs.fold_runs(), 1)}
    for name, run in {**fold_runs.fold_runs(), FINAL: fold_runs.final_run()}.items():
        with naming(name):
            job.check_unchanged(run, readers.get(name, folds.reader))


def _open(recipe: Recipe, registry: Registry) -> FoldAssignment:
    """Open the data set's folds, checked before the first is trained."""
    assert recipe.folds is not None
    reader = open_choice(recipe.data, registry)
    training_splits(reader, recipe)
    return FoldAssignment.parse(reader, recipe.folds, recipe.train.seed)


def _train(
    fold_runs: FoldRuns, folds: FoldAssignment, changes: Mapping[str, Any], *, anyway: bool = False
) -> FoldsOutcome:
    """Train every run to its end; write the out-of-fold scores before the final run."""
    runs = fold_runs.fold_runs()
    for number, (name, run) in enumerate(runs.items(), 1):
        _report(f"{fold_runs.spec}, {number} of {len(runs)}: {name}")
        with naming(name):
            job.start_or_resume(run, changes, reader=folds.hold_out(number), anyway=anyway)
    final = fold_runs.final_run()
    if is_main_process():
        scores = _pool_scores(fold_runs.path, folds, runs)
        scores.write(_out_of_fold_file(fold_runs), {"fold": folds.scored_numbers})
        if fold_runs.final:
            weights = [run.weights() for run in runs.values()]
            final.write_scores(files.OUT_OF_FOLD, scores, {"fold": folds.scored_numbers}, weights)
    if fold_runs.final:
        _report(f"{fold_runs.spec}: {FINAL}, on all of train")
        with naming(FINAL):
            job.start_or_resume(final, changes, reader=folds.reader, anyway=anyway)
    return _evaluate(fold_runs, folds, runs) if is_main_process() else FoldsOutcome(None, {}, 0.0)


def _out_of_fold_file(fold_runs: FoldRuns) -> Path:
    return fold_runs.path / f"{files.OUT_OF_FOLD}.csv"


def _pool_scores(path: Path, folds: FoldAssignment, runs: Mapping[str, Run]) -> ScoreTable:
    """Join the scores that each run gave its fold, in the order of `folds.scored`."""
    numbers = folds.scored_numbers
    rows = np.concatenate([np.flatnonzero(numbers == number) for number in range(1, len(runs) + 1)])
    table = pa.concat_tables([read_fold_scores(run).table for run in runs.values()])
    table = table.take(np.argsort(rows)) if len(table) == len(rows) else table
    if not table.column("id").equals(folds.scored.table.column("id")):
        raise DataError(f"{path}: the runs' scores are not those of the samples of their folds: train anew")
    return ScoreTable(table)


def read_fold_scores(run: Run) -> ScoreTable:
    """Read the scores that the run of a fold gave its fold; raise DataError if it has none."""
    scores = run.stored_scores("dev")
    if scores is None:
        raise DataError(
            f"{run.scores('dev')}: no such scores: continue it by `fas train --resume {run.path}`"
        )
    return scores


def _evaluate(fold_runs: FoldRuns, folds: FoldAssignment, runs: Mapping[str, Run]) -> FoldsOutcome:
    """Evaluate the scores that every run left, and write the figures."""
    final, reader = fold_runs.final_run(), folds.reader
    results = _evaluate_folds(fold_runs, folds, runs)
    final_results = evaluate_stored(final, reader, replicates=bootstrap.REPLICATES) if fold_runs.final else {}
    hours = [run.train_hours() for run in runs.values()]
    final_hours = final.train_hours() if fold_runs.final else 0.0
    documents = {split: result.to_json() for split, result in final_results.items()}
    record = {
        "folds": fold_runs.spec,
        "train_hours": sum(hours) + final_hours,
        "out_of_fold": results.to_json(),
        "final": documents if fold_runs.final else None,
    }
    write_results(fold_runs.path, record)
    return FoldsOutcome(results, final_results, final_hours)


def _evaluate_folds(fold_runs: FoldRuns, folds: FoldAssignment, runs: Mapping[str, Run]) -> CrossValidation:
    """Evaluate the out-of-fold scores, by fold and pooled, at the one threshold fitted on them."""
    final = fold_runs.final_run()
    metrics = bind_metrics(fold_runs.recipe.metrics, fold_runs.registry)
    scores = ScoreTable.read(_out_of_fold_file(fold_runs))
    try:
        threshold = fit_threshold(final.recipe.threshold, scores, final.fitted_on, reject=final.recipe.reject)
    except FasError as error:
        console.warn(f"no threshold: {error.message}")
        threshold = None
    by_fold = {name: read_fold_scores(run) for name, run in runs.items()}
    notes = (*_explain_threshold(folds, scores), *protocol_notes(folds.reader))
    return CrossValidation(
        by=folds.column,
        groups=folds.groups,
        folds=spread([evaluate(table, metrics, threshold, name=name) for name, table in by_fold.items()]),
        pooled=evaluate(
            scores, metrics, threshold, name="pooled", notes=notes, replicates=bootstrap.REPLICATES
        ),
    )


def _explain_threshold(folds: FoldAssignment, scores: ScoreTable) -> list[str]:
    """Say whether this is the threshold to use, and why, from what the tables of train and dev share."""
    by, train, seen = plural(folds.column), folds.train, True
    advice, added = advise_on_folds(folds, scores), folds.scored_dev
    if "dev" not in folds.reader.splits():
        reason = "there is no dev split that a threshold could be fitted on"
    elif (shared := shared_groups(train, folds.reader.samples("dev"), folds.column)) is None:
        reason = f"dev does not say its {by}: whether train has them too is not known"
    elif seen := shared[0] > 0:
        reason = f"dev shares {shared[0]} of its {shared[1]} {by} with train: its threshold is of {by} seen"
    else:
        reason = f"dev shares none of its {shared[1]} {by} with train: its threshold is honest, too"
    several, subjects = straddling_subjects(train, folds.numbers)
    notes = [reason] + ([f"{added} of the samples are dev's, of {by} held out"] if added else [])
    if folds.held_out_sessions:
        pairs = enumerate(folds.held_out_sessions, 1)
        notes.append("sessions held out: " + ", ".join(f"fold-{fold}: {session}" for fold, session in pairs))
    if advice.recommended is not None:
        return [*notes, advice.note]
    notes.append(advice.reason)
    if several:
        return [*notes, f"{several} of {subjects} subjects are in several folds: scores are of people seen"]
    unseen = f"no model was trained on the {by} that it scores here"
    return [*notes, f"recommended: {unseen}" if seen else unseen]


def _report(text: str) -> None:
    if is_main_process():
        console.info(text)
