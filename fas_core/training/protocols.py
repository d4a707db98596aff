"""Training a set of sub-protocols: each as a run of its own, then their figures together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from fas_core.atomic import replacing
from fas_core.config.recipe import Recipe
from fas_core.console import Table, console
from fas_core.data.open import open_choice
from fas_core.data.protocols import Protocol
from fas_core.evaluation.protocols import Spread, spread, spread_tables
from fas_core.registry import Registry
from fas_core.runs.group import RESULTS, is_main_process, naming
from fas_core.runs.protocols import ProtocolRuns
from fas_core.runs.run import Run
from fas_core.training import job


@frozen(eq=False)
class ProtocolsOutcome:
    """A finished set: `{split: Spread}` of the best weights of each run."""

    protocols: ProtocolRuns
    results: dict[str, Spread]
    train_hours: float

    def tables(self) -> list[Table]:
        """What there is to print of it, split by split."""
        hours = self.train_hours
        parts = [spread_tables(part, title=split, train_hours=hours) for split, part in self.results.items()]
        return [table for part in parts for table in part]


def start(path: Path, protocol: Protocol, recipe: Recipe, registry: Registry) -> ProtocolsOutcome:
    """Train a recipe under every sub-protocol, and judge each.

    Raises:
        FasError: the recipe, the place or the data of any sub-protocol cannot be used.
        KeyboardInterrupt: Ctrl-C; `resume` goes on.
    """
    protocols = ProtocolRuns(path, protocol.name, protocol.members, recipe, registry)
    _check_data(protocols)
    if is_main_process():
        protocols.create()
    return _train(protocols, {})


def resume(path: Path, registry: Registry, changes: Mapping[str, Any]) -> ProtocolsOutcome:
    """Go on with a set: finished runs stay, an interrupted one is continued, the others are trained.

    Raises:
        FasError: as of `start`, or a run's state does not fit.
        KeyboardInterrupt: Ctrl-C; as before.
    """
    protocols = ProtocolRuns.open(path, registry)
    protocols = evolve(protocols, recipe=Run(path, protocols.recipe, registry).changed(changes).recipe)
    _check_data(protocols)
    if is_main_process():
        protocols.write()
    return _train(protocols, changes)


def _check_data(protocols: ProtocolRuns) -> None:
    """Look at the data of every sub-protocol before the first is trained."""
    for member in protocols.members:
        recipe = protocols.run(member).recipe
        with naming(member):
            job.training_splits(open_choice(recipe.data, protocols.registry), recipe)


def _train(protocols: ProtocolRuns, changes: Mapping[str, Any]) -> ProtocolsOutcome:
    """Every run to its end, then the figures of them all."""
    for number, member in enumerate(protocols.members, 1):
        if is_main_process():
            console.info(f"{protocols.protocol}, {number} of {len(protocols.members)}: {member}")
        with naming(member):
            job.carry_on(protocols.run(member), changes)
    return _judged(protocols) if is_main_process() else ProtocolsOutcome(protocols, {}, 0.0)


def _judged(protocols: ProtocolRuns) -> ProtocolsOutcome:
    """Judge the scores that every run left, and write the figures down."""
    runs = protocols.runs()
    found = {
        member: job.judge_stored(run, open_choice(run.recipe.data, run.registry), name=member)
        for member, run in runs.items()
    }
    results = {
        split: spread([results[split] for results in found.values()])
        for split in job.JUDGED
        if all(split in results for results in found.values())
    }
    hours = sum(json.loads((run.path / RESULTS).read_text())["train_hours"] for run in runs.values())
    record = {
        "protocol": protocols.protocol,
        "train_hours": hours,
        "splits": {split: result.to_json() for split, result in results.items()},
    }
    with replacing(protocols.path / RESULTS) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return ProtocolsOutcome(protocols, results, hours)
