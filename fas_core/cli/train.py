"""`fas train`: by recipe, with overrides, or `--resume` of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click import get_current_context

from fas_core.cli import panels
from fas_core.cli.candidates import complete_recipe, complete_run
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import PATH, output_options
from fas_core.cli.recipe_options import recipe_options
from fas_core.console import console
from fas_core.errors import ConfigError, format_list, require
from fas_core.interruption import interruptible
from fas_core.text_files import shorten

if TYPE_CHECKING:
    from fas_core.config.recipe import Recipe
    from fas_core.data.protocols import Protocol
    from fas_core.training.cross_validation import FoldsOutcome
    from fas_core.training.job import Outcome
    from fas_core.training.run_sets import RunSetOutcome

MAX_DIGITS = 18
"""Of a random seed, which PyTorch takes as a number of 64 bits."""

NOT_EVALUATED = "the data has no labelled dev or test split; the last weights are the best"


def _parse_seeds(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Parse `14,15,16`."""
    seeds = () if text is None else tuple(text.replace(" ", "").split(","))
    are_numbers = all(seed.isascii() and seed.isdigit() and len(seed) <= MAX_DIGITS for seed in seeds)
    if not are_numbers or len(set(map(int, seeds))) < len(seeds):
        raise ConfigError(
            f"--seeds {shorten(text or '')!r}: must be different whole numbers from 0, e.g. 14,15,16, "
            f"of at most {MAX_DIGITS} digits"
        )
    return tuple(map(int, seeds))


@click.command(
    cls=FasCommand,
    examples="""
        # three modalities of simulated faces: minutes on two cores
        fas train
        # a published recipe, on your copy of CASIA-SURF
        fas train feathernet-b-32 --data casia_surf:CASIA-SURF
        # a run that was stopped goes on
        fas train --resume runs/quickstart
    """,
)
@click.argument("recipe", required=False, shell_complete=complete_recipe)
@option("--config", panel=panels.RECIPE, shell_complete=complete_recipe, help="Same as RECIPE.")
@option("--name", panel=panels.RUN, help="Name of the run's folder; by default the recipe's name, numbered.")
@option(
    "--runs", type=PATH, default=Path("runs"), show_default=True, panel=panels.RUN, help="Folder of the runs."
)
@option(
    "--resume",
    type=PATH,
    metavar="RUN",
    panel=panels.RUN,
    shell_complete=complete_run,
    help="Run to continue exactly where it stopped.",
)
@option(
    "--anyway",
    is_flag=True,
    panel=panels.RUN,
    help="Resume also where data, recipe or versions have changed; the run's history records it.",
)
@option(
    "--protocol",
    metavar="DATASET-PROTOCOL",
    panel="Several runs",
    help="cefa-4@1, or a set of protocols, cefa-4: a run for each, then mean and standard deviation.",
)
@option(
    "--tag",
    "tags",
    multiple=True,
    metavar="NAME",
    panel=panels.RUN,
    help="Tag of the run; may be repeated. [tags]",
)
@option(
    "--seeds",
    metavar="SEED,SEED...",
    callback=_parse_seeds,
    panel="Several runs",
    help="Random seeds, e.g. 14,15,16: a run for each, then mean and standard deviation. [train.seed]",
)
@option(
    "--folds",
    metavar="COLUMN:K",
    panel="Several runs",
    help="Cross-validate over K folds of train that share no subject (subject:5), no video, ...; over a fold "
    "for each session (session); or holding out both (subject+session:3). The threshold is of scores of "
    "what their model was not trained on. [folds]",
)
@option(
    "--final/--no-final",
    default=None,
    panel="Several runs",
    help="After the folds, train on all of train, with their threshold; that is the default.",
)
@recipe_options
@output_options
def command(
    recipe: str | None,
    config: str | None,
    name: str | None,
    runs: Path,
    resume: Path | None,
    anyway: bool,
    protocol: str | None,
    tags: tuple[str, ...],
    seeds: tuple[int, ...],
    folds: str | None,
    final: bool | None,
    overrides: dict[str, Any],
) -> None:
    """Train RECIPE (a name of `fas config list` or a YAML file), then evaluate dev and test.

    Without RECIPE: three-modal FeatherNetB on simulated data, minutes on two cores.
    Ctrl-C saves, as SIGTERM, SIGHUP and SIGUSR1 do; `fas train --resume RUN` goes on from there.
    With --folds RUN is a folder of runs: one for each fold, then the final one on all of train. So it is
    with --seeds and with a set of protocols.
    """
    require("train", "torch", "accelerate", "safetensors")
    from fas_core.config.load import DEFAULT
    from fas_core.training.start import saying_how_to_resume

    if anyway and resume is None:
        raise ConfigError("--anyway is about --resume, which checks what has changed: leave it out")
    if recipe is not None and config is not None:
        raise ConfigError("--config is the same as RECIPE: give one of them")
    if name == "":
        raise ConfigError("--name is empty: leave it out, and the run is named after its recipe")
    chosen = recipe if config is None else config
    if resume is not None and chosen is not None:
        raise ConfigError("--resume goes on with the run's own recipe: it takes no RECIPE")
    chosen = DEFAULT if chosen is None else chosen
    overrides |= ({} if folds is None else {"folds": folds}) | ({"tags": list(tags)} if tags else {})
    with interruptible():
        path = resume or (_own_numbered(runs, chosen) if name is None else runs / name)
        with saying_how_to_resume(path):
            if resume is None:
                outcome = _start(path, chosen, overrides, protocol, seeds, final)
            else:
                outcome = _resume(path, overrides, protocol, seeds, final, anyway)
        from fas_core.runs.groups import is_main_process

        if is_main_process():
            _show(path, outcome)


def _start(
    path: Path,
    recipe: str,
    overrides: dict[str, Any],
    protocol: str | None,
    seeds: tuple[int, ...],
    final: bool | None,
) -> Outcome | RunSetOutcome | FoldsOutcome:
    """Train one run, or one for each sub-protocol, seed or fold."""
    from fas_core.config.load import load_recipe
    from fas_core.data.protocols import find_protocol
    from fas_core.registry import registry
    from fas_core.runs.owner import owning
    from fas_core.runs.run_sets import ProtocolRuns, SeedRuns
    from fas_core.training import run_sets
    from fas_core.training.start import start_recipe

    chosen = None if protocol is None else find_protocol(protocol, registry())
    changes = {} if chosen is None else chosen.overrides(chosen.members[0])
    loaded = load_recipe(recipe, registry(), overrides | changes)
    if seeds:
        _refuse_with_seeds(loaded, overrides, chosen)
    get_current_context().with_resource(owning(path))
    if loaded.folds is None:
        _refuse_final(final)
        if chosen is not None and chosen.is_set:
            return run_sets.start(ProtocolRuns(path, loaded, registry(), chosen.name, chosen.members))
        if seeds:
            return run_sets.start(SeedRuns(path, loaded, registry(), seeds))
    elif chosen is not None and chosen.is_set:
        raise ConfigError(
            f"--protocol {protocol} is a set of protocols, and folds are of one: "
            f"{format_list(f'{chosen.dataset}-{member}' for member in chosen.members)}"
        )
    return start_recipe(path, loaded, registry(), overrides, final=final is not False)


def _resume(
    path: Path,
    overrides: dict[str, Any],
    protocol: str | None,
    seeds: tuple[int, ...],
    final: bool | None,
    anyway: bool,
) -> Outcome | RunSetOutcome | FoldsOutcome:
    """Continue a run, or the runs of sub-protocols, seeds or folds."""
    from fas_core.registry import registry
    from fas_core.runs.groups import FoldRuns, open_runs
    from fas_core.runs.owner import owning
    from fas_core.runs.run import Run
    from fas_core.training import cross_validation, job, run_sets

    opened = open_runs(path, registry())
    get_current_context().with_resource(owning(path))
    refused = ["--protocol"] * (protocol is not None) + ["--seeds"] * bool(seeds)
    changes = _check_resumable(opened.recipe, overrides, refused)
    if isinstance(opened, FoldRuns):
        return cross_validation.resume(opened, changes, final=final, anyway=anyway)
    _refuse_final(final)
    if isinstance(opened, Run):
        return job.resume(path, registry(), changes, anyway=anyway)
    return run_sets.resume(opened, changes, anyway=anyway)


def _refuse_final(final: bool | None) -> None:
    if final is not None:
        raise ConfigError("--final and --no-final are about folds: give --folds, e.g. --folds subject:5")


def _refuse_with_seeds(recipe: Recipe, overrides: dict[str, Any], protocol: Protocol | None) -> None:
    """Raise ConfigError where something else sets the seed, or makes several runs."""
    if "train.seed" in overrides:
        raise ConfigError("--seeds sets train.seed: leave --random-seed and --set train.seed out")
    if recipe.folds is not None or (protocol is not None and protocol.is_set):
        other = "folds" if recipe.folds is not None else "a set of protocols"
        raise ConfigError(f"--seeds makes a run for each seed, and {other} too: train one after another")


def _check_resumable(recipe: Recipe, overrides: dict[str, Any], flags: list[str]) -> dict[str, Any]:
    """Return the overrides; refuse `flags` and what would make it another run. `--data` moves data.root."""
    from fas_core.runs.conditions import CHANGED_BY_RESUME

    data = overrides.get("data", {})
    if "root" in data and data["name"] == recipe.data.name:
        overrides = {key: value for key, value in overrides.items() if key != "data"}
        overrides["data.root"] = data["root"]
    refused = sorted(set(overrides) - CHANGED_BY_RESUME) + flags
    if refused:
        raise ConfigError(
            f"--resume goes on with the run's own recipe: it takes no {format_list(refused)} "
            f"(only {', '.join(sorted(CHANGED_BY_RESUME))})"
        )
    return overrides


def _show(path: Path, outcome: Outcome | RunSetOutcome | FoldsOutcome) -> None:
    """Print the tables, and what to do next."""
    from fas_core.cli.next_steps import PHOTO, show_training_steps
    from fas_core.runs import files
    from fas_core.text_files import read_json
    from fas_core.training.job import Outcome

    if console.json:
        console.document(read_json(path / files.RESULTS))
        return
    for table in outcome.tables() if outcome.results else []:
        console.table(table)
    if not outcome.results:
        console.info(f"{path}: trained, and not evaluated: {NOT_EVALUATED}")
    show_training_steps(path, outcome.photos if isinstance(outcome, Outcome) else PHOTO)


def _own_numbered(runs: Path, recipe: str) -> Path:
    """Own until the command ends, and return, a free folder of the recipe's name; ConfigError without one."""
    from fas_core.config.load import locate
    from fas_core.registry import registry
    from fas_core.runs.owner import owning_numbered

    folder = runs / locate(recipe, registry()).stem
    return get_current_context().with_resource(owning_numbered(folder))
