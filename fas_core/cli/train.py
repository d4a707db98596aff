"""`fas train`: by recipe, with overrides, or `--resume` of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from fas_core.cli.options import output_options, require
from fas_core.cli.recipe_options import recipe_options
from fas_core.console import console
from fas_core.errors import ConfigError, listed

if TYPE_CHECKING:
    from fas_core.config import Recipe
    from fas_core.engine.job import Outcome
    from fas_core.engine.train_set import SetOutcome

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
@recipe_options
@output_options
def command(
    recipe: str,
    config: str | None,
    name: str | None,
    runs: Path,
    resume: Path | None,
    protocol: str | None,
    overrides: dict[str, Any],
) -> None:
    """Train RECIPE (a shipped name or a YAML file), then judge dev and test.

    Without RECIPE: three-modal FeatherNetB on simulated data, minutes on two cores.
    Ctrl-C saves; `fas train --resume RUN` goes on from there.
    """
    require("train", "torch", "accelerate", "safetensors")
    from fas_core.engine.protocol_set import is_set

    chosen = config or recipe
    path = resume or (runs / name if name else _free(runs / Path(chosen).stem))
    try:
        if resume is None:
            outcome = _start(path, chosen, overrides, protocol)
        else:
            outcome = _resume(path, _only_resumable(path, overrides, protocol))
    except KeyboardInterrupt:
        if (path / "state.pt").exists() or is_set(path):
            console.warn(f"saved: continue with `fas train --resume {path}`")
        raise
    if outcome.results:
        _show(path, outcome)


def _start(path: Path, recipe: str, overrides: dict[str, Any], protocol: str | None) -> Outcome | SetOutcome:
    """One run, or one for each sub-protocol of a set."""
    from fas_core.data.protocols import find_protocol
    from fas_core.engine import job, train_set
    from fas_core.plugins import registry
    from fas_core.recipes import load

    if protocol is None:
        return job.start(path, load(recipe, registry(), overrides), registry())
    found = find_protocol(protocol, registry())
    made = load(recipe, registry(), overrides | found.overrides(found.members[0]))
    if found.is_set:
        return train_set.start(path, found, made, registry())
    return job.start(path, made, registry())


def _resume(path: Path, changes: dict[str, Any]) -> Outcome | SetOutcome:
    from fas_core.engine import job, train_set
    from fas_core.engine.protocol_set import is_set
    from fas_core.plugins import registry

    if is_set(path):
        return train_set.resume(path, registry(), changes)
    return job.resume(path, registry(), changes)


def _only_resumable(path: Path, overrides: dict[str, Any], protocol: str | None) -> dict[str, Any]:
    """The overrides, refused where they would make it another run; `--data` says where its data lie now."""
    moved = overrides.get("data", {})
    if "root" in moved and moved["name"] == _recipe(path).data.name:
        overrides = {key: value for key, value in overrides.items() if key != "data"}
        overrides["data.root"] = moved["root"]
    refused = sorted(set(overrides) - CHANGED_BY_RESUME) + ["--protocol"] * (protocol is not None)
    if refused:
        raise ConfigError(
            f"--resume goes on with the run's own recipe: it takes no {listed(refused)} "
            f"(only {', '.join(sorted(CHANGED_BY_RESUME))})"
        )
    return overrides


def _recipe(path: Path) -> Recipe:
    """Of a run or of a set of runs."""
    from fas_core.engine.protocol_set import ProtocolSet, is_set
    from fas_core.engine.run import Run
    from fas_core.plugins import registry

    opened = ProtocolSet.open(path, registry()) if is_set(path) else Run.open(path, registry())
    return opened.recipe


def _show(path: Path, outcome: Outcome | SetOutcome) -> None:
    """The tables, and what to do next."""
    from fas_core.engine.protocol_set import is_set

    if console.json:
        console.document(json.loads((path / "results.json").read_text()))
        return
    for table in outcome.tables():
        console.table(table)
    console.info("next:")
    if is_set(path):
        console.info(f"  fas eval {path} --scores FOLDER")
        return
    console.info(f"  fas eval {path} --scores scores.csv")
    console.info(f"  fas export {path} --format onnx -o model.onnx")
    console.info("  fas eval model.onnx")


def _free(path: Path) -> Path:
    """`path`, or the first of `path-2`, `path-3`, ... where no run or set of runs is."""
    number, free = 1, path
    while (free / "recipe.yaml").exists() or (free / "protocol_set.yaml").exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
