"""Training of every run of a set, of sub-protocols or of seeds, then their figures together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from fas_core.config.components import Choice
from fas_core.console import console
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice
from fas_core.evaluation.spread import Spread, spread, spread_tables
from fas_core.inference.evaluate_split import EVALUATED_SPLITS, evaluate_stored
from fas_core.runs.groups import is_main_process, naming
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.runs.run_sets import RunSet
from fas_core.text_table import Table
from fas_core.training import job
from fas_core.training.splits import training_splits


@frozen(eq=False)
class RunSetOutcome:
    """Finished runs, and their figures by the best weights: `{split: Spread}`."""

    run_set: RunSet
    results: dict[str, Spread]
    train_hours: float

    def tables(self) -> list[Table]:
        """Return the tables of the figures, split by split."""
        tables: list[Table] = []
        for split, result in self.results.items():
            tables += spread_tables(result, title=split, train_hours=self.train_hours)
        return tables


def start(run_set: RunSet) -> RunSetOutcome:
    """Train every run of a new set, and evaluate each.

    Raises:
        FasError: the recipe, the folder or the data of any run cannot be used.
        Interrupted: by a signal; `resume` continues.
    """
    _check_data(run_set)
    if is_main_process():
        run_set.create()
    return _train(run_set, {})


def resume(run_set: RunSet, changes: Mapping[str, Any], *, anyway: bool = False) -> RunSetOutcome:
    """Continue: finished runs stay, an interrupted one is continued, the others are trained.

    Raises as `start` does; also FasError where a run's training state does not fit or, unless `anyway`, where
    a run was trained with other data, another recipe or other versions.
    """
    run = Run(run_set.path, run_set.recipe, run_set.registry)
    run_set = evolve(run_set, recipe=run.changed(changes).recipe)
    _check_data(run_set, anyway=anyway)
    if is_main_process():
        run_set.write()
    return _train(run_set, changes, anyway=anyway)


def _check_data(run_set: RunSet, *, anyway: bool = False) -> None:
    """Open the data of every run, once where runs share it, before the first is trained."""
    readers: list[tuple[Choice, DatasetReader]] = []
    for member in run_set.members:
        run = run_set.run(member)
        with naming(member):
            reader = next((reader for data, reader in readers if data == run.recipe.data), None)
            if reader is None:
                reader = open_choice(run.recipe.data, run_set.registry)
                training_splits(reader, run.recipe)
                readers.append((run.recipe.data, reader))
            if not anyway:
                job.check_unchanged(run, reader)


def _train(run_set: RunSet, changes: Mapping[str, Any], *, anyway: bool = False) -> RunSetOutcome:
    """Train every run to its end, then evaluate them all."""
    for number, member in enumerate(run_set.members, 1):
        if is_main_process():
            console.info(f"{run_set.title}, {number} of {len(run_set.members)}: {member}")
        with naming(member):
            job.start_or_resume(run_set.run(member), changes, anyway=anyway)
    return _evaluate(run_set) if is_main_process() else RunSetOutcome(run_set, {}, 0.0)


def _evaluate(run_set: RunSet) -> RunSetOutcome:
    """Evaluate the scores that every run left, and write the figures."""
    runs = run_set.runs()
    by_member = {
        member: evaluate_stored(run, open_choice(run.recipe.data, run.registry), name=member)
        for member, run in runs.items()
    }
    results = {
        split: spread([results[split] for results in by_member.values()])
        for split in EVALUATED_SPLITS
        if all(split in results for results in by_member.values())
    }
    hours = sum(run.train_hours() for run in runs.values())
    documents = {split: result.to_json(run_set.kind) for split, result in results.items()}
    write_results(run_set.path, {**run_set.facts, "train_hours": hours, "splits": documents})
    return RunSetOutcome(run_set, results, hours)
