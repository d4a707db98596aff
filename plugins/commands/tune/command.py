"""`fas tune`: search the values of a recipe that give the lowest EER on dev."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_recipe, complete_set
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import PATH, output_options
from fas_core.cli.recipe_options import recipe_options
from fas_core.console import console
from fas_core.errors import FasError
from fas_core.interruption import interruptible


@click.command(
    cls=FasCommand,
    examples="""
        # the learning rate
        fas tune quickstart --space train.lr=log:0.001:0.1
        # the optimizer, every trial to its end
        fas tune --space 'train.optimizer=[sgd, adamw]' --trials 10 --no-prune
        # a space in a file
        fas tune mine.yaml --space space.yaml --trials 50
    """,
)
@click.argument("recipe", default="quickstart", shell_complete=complete_recipe)
@option(
    "--space",
    "spaces",
    multiple=True,
    required=True,
    metavar="KEY=RANGE|SPACE.yaml",
    panel="Search",
    shell_complete=complete_set,
    help="What is varied: a key of the recipe and log:LOW:HIGH, float:LOW:HIGH, int:LOW:HIGH, "
    "logint:LOW:HIGH or [A, B, ...]; or a YAML file of such keys. May be repeated.",
)
@option(
    "--trials",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    panel="Search",
    help="Trials of the study, in all.",
)
@option("--prune/--no-prune", default=True, panel="Search", help="Whether trials that fall behind end early.")
@option(
    "--anyway",
    is_flag=True,
    panel=panels.RUN,
    help="Go on also where data, recipe or versions are not those of the trials so far; the history of a "
    "trial that continues records it.",
)
@option(
    "--name", panel=panels.RUN, help="Name of the study's folder; by default the recipe's name and -tune."
)
@option(
    "--runs", type=PATH, default=Path("runs"), show_default=True, panel=panels.RUN, help="Folder of the runs."
)
@recipe_options
@output_options
def command(
    recipe: str,
    spaces: tuple[str, ...],
    trials: int,
    prune: bool,
    anyway: bool,
    name: str | None,
    runs: Path,
    overrides: dict[str, Any],
) -> None:
    """Train RECIPE again and again with values from a search space, and keep those of the lowest EER on dev.

    Each trial is a run. The best recipe is written to best.yaml in the study's folder. The test split has no
    part in the choice. The same command again goes on where it was stopped; started twice, it runs two trials
    at a time.
    """
    import optuna

    from fas_core.config.load import load_recipe
    from fas_core.registry import registry
    from fas_plugins.commands.tune.search import Search, find_best
    from fas_plugins.commands.tune.space import read_space
    from fas_plugins.commands.tune.study import BEST
    from fas_plugins.commands.tune.trials import list_trials, trials_table

    if os.environ.get("WORLD_SIZE", "1") not in ("", "0", "1"):
        raise FasError("fas tune runs in one process: start the command several times, without torchrun")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder = runs / (name or f"{Path(recipe).stem}-tune")
    space = read_space(spaces)
    try:
        with interruptible():
            loaded = load_recipe(recipe, registry(), overrides)
            study = Search(folder, loaded, space, registry(), prune, anyway).run(trials)
    except KeyboardInterrupt:
        console.warn("saved: the same command goes on")
        raise
    records, best = list_trials(study, space), find_best(study)
    if console.json:
        trial = None if best is None else best.number
        document = {"study": str(folder), "best": trial, "recipe": str(folder / BEST) if best else None}
        console.document(document | {"trials": [record.to_json() for record in records]})
        return
    console.table(trials_table(records, space))
    if best is None:
        raise FasError(f"{folder}: no trial was trained to the end")
    console.result(f"best recipe: {folder / BEST}")
    console.next_steps(
        ("fas", "train", folder / BEST, "--seeds", "14,15,16"),
        ("fas", "runs", "list", folder, "--sort", "eer"),
    )
