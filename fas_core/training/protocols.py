"""Training under every sub-protocol: each as a run of its own, then their figures together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.data.open import open_choice
from fas_core.data.protocols import Protocol
from fas_core.evaluation.spread import Spread, spread, spread_tables
from fas_core.inference.evaluate_split import EVALUATED_SPLITS, evaluate_stored
from fas_core.registry import Registry
from fas_core.runs.groups import ProtocolRuns, is_main_process, naming
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.text_table import Table
from fas_core.training import job


@frozen(eq=False)
class ProtocolsOutcome:
    """Finished runs, and their figures by the best weights: `{split: Spread}`."""

    protocols: ProtocolRuns
    results: dict[str, Spread]
    train_hours: float

    def tables(self) -> list[Table]:
        """Return the tables of the figures, split by split."""
        tables: list[Table] = []
        for split, result in self.results.items():
            tables += spread_tables(result, title=split, train_hours=self.train_hours)
        return tables


def start(path: Path, protocol: Protocol, recipe: Recipe, registry: Registry) -> ProtocolsOutcome:
    """Train a recipe under every sub-protocol, and evaluate each run.

    Raises:
        FasError: the recipe, the folder or the data of any sub-protocol cannot be used.
        Interrupted: by a signal; `resume` continues.
    """
    protocols = ProtocolRuns(path, protocol.name, protocol.members, recipe, registry)
    _check_data(protocols)
    if is_main_process():
        protocols.create()
    return _train(protocols, {})


def resume(protocols: ProtocolRuns, changes: Mapping[str, Any], *, anyway: bool = False) -> ProtocolsOutcome:
    """Continue: finished runs stay, an interrupted one is continued, the others are trained.

    Raises as `start` does; also FasError where a run's training state does not fit or, unless `anyway`, where
    a run was trained with other data, another recipe or other versions.
    """
    run = Run(protocols.path, protocols.recipe, protocols.registry)
    protocols = evolve(protocols, recipe=run.changed(changes).recipe)
    _check_data(protocols, anyway=anyway)
    if is_main_process():
        protocols.write()
    return _train(protocols, changes, anyway=anyway)


def _check_data(protocols: ProtocolRuns, *, anyway: bool = False) -> None:
    """Open the data of every sub-protocol before the first is trained."""
    for member in protocols.members:
        run = protocols.run(member)
        with naming(member):
            reader = open_choice(run.recipe.data, protocols.registry)
            job.training_splits(reader, run.recipe)
            if not anyway:
                job.check_unchanged(run, reader)


def _train(protocols: ProtocolRuns, changes: Mapping[str, Any], *, anyway: bool = False) -> ProtocolsOutcome:
    """Train every run to its end, then evaluate them all."""
    for number, member in enumerate(protocols.members, 1):
        if is_main_process():
            console.info(f"{protocols.protocol}, {number} of {len(protocols.members)}: {member}")
        with naming(member):
            job.start_or_resume(protocols.run(member), changes, anyway=anyway)
    return _evaluate(protocols) if is_main_process() else ProtocolsOutcome(protocols, {}, 0.0)


def _evaluate(protocols: ProtocolRuns) -> ProtocolsOutcome:
    """Evaluate the scores that every run left, and write the figures."""
    runs = protocols.runs()
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
    documents = {split: result.to_json() for split, result in results.items()}
    record = {"protocol": protocols.protocol, "train_hours": hours, "splits": documents}
    write_results(protocols.path, record)
    return ProtocolsOutcome(protocols, results, hours)
