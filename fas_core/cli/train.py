"""`fas train`: by recipe, with overrides, or `--resume` of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from fas_core.cli.options.output import output_options
from fas_core.cli.options.recipe import recipe_options
from fas_core.console import console
from fas_core.errors import ConfigError, format_list, require

if TYPE_CHECKING:
    from fas_core.config.recipe import Recipe
    from fas_core.training.cross_validation import FoldsOutcome
    from fas_core.training.job import Outcome
    from fas_core.training.protocols import ProtocolsOutcome

CHANGED_BY_RESUME = {"train.epochs", "train.workers", "train.device", "data.root"}


@click.command()
@click.argument("recipe", default="quickstart")
@click.option("--config", help="The same as RECIPE.")
@click.option("--name", help="Of the run's folder; the recipe's name, numbered, unless given.")
@click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where runs are."
)
@click.option(
    "--resume", type=click.Path(path_type=Path), metavar="RUN", help="Continue a run exactly where it was."
)
@click.option(
    "--protocol",
    metavar="DATASET-PROTOCOL",
    help="cefa-4@1, or a set of protocols, cefa-4: a run for each, then mean and standard deviation.",
)
@click.option(
    "--folds",
    metavar="COLUMN:K",
    help="Cross-validate over K folds of train that share no subject (subject:5), no video, ...: the "
    "threshold is then of people never trained on. [folds]",
)
@click.option(
    "--final/--no-final",
    default=None,
    help="After the folds, train on all of train, with their threshold; that is the default.",
)
@recipe_options
@output_options
def command(
    recipe: str,
    config: str | None,
    name: str | None,
    runs: Path,
    resume: Path | None,
    protocol: str | None,
    folds: str | None,
    final: bool | None,
    overrides: dict[str, Any],
) -> None:
    """Train RECIPE (a shipped name or a YAML file), then judge dev and test.

    Without RECIPE: three-modal FeatherNetB on simulated data, minutes on two cores.
    Ctrl-C saves; `fas train --resume RUN` goes on from there.
    With --folds RUN is a folder of runs: one for each fold, then the final one on all of train.
    """
    require("train", "torch", "accelerate", "safetensors")
    from fas_core.runs.folds import is_fold_runs
    from fas_core.runs.protocols import is_protocol_runs

    chosen = config or recipe
    overrides |= {} if folds is None else {"folds": folds}
    path = resume or (runs / name if name else _free(runs / Path(chosen).stem))
    try:
        if resume is None:
            outcome = _start(path, chosen, overrides, protocol, final)
        else:
            outcome = _resume(path, _only_resumable(path, overrides, protocol), final)
    except KeyboardInterrupt:
        if (path / "state.pt").exists() or is_protocol_runs(path) or is_fold_runs(path):
            console.warn(f"saved: continue with `fas train --resume {path}`")
        raise
    if outcome.results:
        _show(path, outcome)


def _start(
    path: Path, recipe: str, overrides: dict[str, Any], protocol: str | None, final: bool | None
) -> Outcome | ProtocolsOutcome | FoldsOutcome:
    """One run, or one for each sub-protocol of a set or each fold."""
    from fas_core.config.load import load_recipe
    from fas_core.data.protocols import find_protocol
    from fas_core.registry import registry
    from fas_core.training import cross_validation as train_folds
    from fas_core.training import job
    from fas_core.training import protocols as train_set

    found = None if protocol is None else find_protocol(protocol, registry())
    chosen = {} if found is None else found.overrides(found.members[0])
    made = load_recipe(recipe, registry(), overrides | chosen)
    if made.folds is None:
        _refuse_final(final)
        if found is not None and found.is_set:
            return train_set.start(path, found, made, registry())
        return job.start(path, made, registry())
    if found is not None and found.is_set:
        raise ConfigError(
            f"--protocol {protocol} is a set of protocols, and folds are of one: "
            f"{format_list(f'{found.dataset}-{member}' for member in found.members)}"
        )
    if overrides.get("train.select") == "best":
        raise ConfigError("train.select: with folds the last weights count: no score may choose among them")
    return train_folds.start(path, made, registry(), final=final is not False)


def _resume(
    path: Path, changes: dict[str, Any], final: bool | None
) -> Outcome | ProtocolsOutcome | FoldsOutcome:
    from fas_core.registry import registry
    from fas_core.runs.folds import is_fold_runs
    from fas_core.runs.protocols import is_protocol_runs
    from fas_core.training import cross_validation as train_folds
    from fas_core.training import job
    from fas_core.training import protocols as train_set

    if is_fold_runs(path):
        return train_folds.resume(path, registry(), changes, final=final)
    _refuse_final(final)
    if is_protocol_runs(path):
        return train_set.resume(path, registry(), changes)
    return job.resume(path, registry(), changes)


def _refuse_final(final: bool | None) -> None:
    if final is not None:
        raise ConfigError("--final and --no-final are about folds: give --folds, e.g. --folds subject:5")


def _only_resumable(path: Path, overrides: dict[str, Any], protocol: str | None) -> dict[str, Any]:
    """The overrides, refused where they would make it another run; `--data` says where its data lie now."""
    moved = overrides.get("data", {})
    if "root" in moved and moved["name"] == _recipe(path).data.name:
        overrides = {key: value for key, value in overrides.items() if key != "data"}
        overrides["data.root"] = moved["root"]
    refused = sorted(set(overrides) - CHANGED_BY_RESUME) + ["--protocol"] * (protocol is not None)
    if refused:
        raise ConfigError(
            f"--resume goes on with the run's own recipe: it takes no {format_list(refused)} "
            f"(only {', '.join(sorted(CHANGED_BY_RESUME))})"
        )
    return overrides


def _recipe(path: Path) -> Recipe:
    """Of a run or of a set of runs, of protocols or folds."""
    from fas_core.registry import registry
    from fas_core.runs.folds import FoldRuns, is_fold_runs
    from fas_core.runs.protocols import ProtocolRuns, is_protocol_runs
    from fas_core.runs.run import Run

    if is_fold_runs(path):
        return FoldRuns.open(path, registry()).recipe
    opened = ProtocolRuns.open(path, registry()) if is_protocol_runs(path) else Run.open(path, registry())
    return opened.recipe


def _show(path: Path, outcome: Outcome | ProtocolsOutcome | FoldsOutcome) -> None:
    """The tables, and what to do next."""
    from fas_core.registry import registry
    from fas_core.runs.folds import FINAL, FoldRuns, is_fold_runs
    from fas_core.runs.protocols import is_protocol_runs

    if console.json:
        console.document(json.loads((path / "results.json").read_text()))
        return
    for table in outcome.tables():
        console.table(table)
    console.info("next:")
    if is_protocol_runs(path):
        console.info(f"  fas eval {path} --scores FOLDER")
        return
    if is_fold_runs(path):
        if not FoldRuns.open(path, registry()).final:
            console.info(f"  fas train --resume {path} --final")
            return
        path = path / FINAL
    console.info(f"  fas eval {path} --scores scores.csv")
    console.info(f"  fas export {path} --format onnx -o model.onnx")
    console.info("  fas eval model.onnx")


def _free(path: Path) -> Path:
    """`path`, or the first of `path-2`, `path-3`, ... where no run or set of runs is."""
    from fas_core.runs.run import is_taken

    number, free = 1, path
    while is_taken(free):
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
