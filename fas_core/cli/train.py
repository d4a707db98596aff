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
    from fas_core.engine.job import Outcome

CHANGED_BY_RESUME = {"train.epochs", "train.workers", "train.device"}


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
@recipe_options
@output_options
def command(
    recipe: str,
    config: str | None,
    name: str | None,
    runs: Path,
    resume: Path | None,
    overrides: dict[str, Any],
) -> None:
    """Train RECIPE (a shipped name or a YAML file), then judge dev and test.

    Without RECIPE: three-modal FeatherNetB on simulated data, minutes on two cores.
    Ctrl-C saves; `fas train --resume RUN` goes on from there.
    """
    require("train", "torch", "accelerate", "safetensors")
    from fas_core.engine import job
    from fas_core.plugins import registry
    from fas_core.recipes import load

    chosen = config or recipe
    path = resume or (runs / name if name else _free(runs / Path(chosen).stem))
    try:
        if resume is None:
            outcome = job.start(path, load(chosen, registry(), overrides), registry())
        else:
            outcome = job.resume(path, registry(), _only_resumable(overrides))
    except KeyboardInterrupt:
        if (path / "state.pt").exists():
            console.warn(f"saved: continue with `fas train --resume {path}`")
        raise
    if outcome.results:
        _show(outcome)


def _only_resumable(overrides: dict[str, Any]) -> dict[str, Any]:
    """The overrides, refused where they would make it another run."""
    if refused := sorted(set(overrides) - CHANGED_BY_RESUME):
        raise ConfigError(
            f"--resume goes on with the run's own recipe: it takes no {listed(refused)} "
            f"(only {', '.join(sorted(CHANGED_BY_RESUME))})"
        )
    return overrides


def _show(outcome: Outcome) -> None:
    """The tables, and what to do next."""
    from fas_core.report import tables

    run = outcome.run.path
    if console.json:
        console.document(json.loads((run / "results.json").read_text()))
        return
    for table in tables(list(outcome.results.values()), train_hours=outcome.train_hours):
        console.table(table)
    console.info("next:")
    console.info(f"  fas eval {run} --scores scores.csv")
    console.info(f"  fas export {run} --format onnx -o model.onnx")
    console.info("  fas eval model.onnx")


def _free(path: Path) -> Path:
    """`path`, or the first of `path-2`, `path-3`, ... where no run is."""
    number, free = 1, path
    while (free / "recipe.yaml").exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
