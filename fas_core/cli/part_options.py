"""The options of commands that can leave their work to an engine, which does it in parts on many machines."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from fas_core.cli import panels
from fas_core.cli.command import option
from fas_core.cli.options import Command
from fas_core.cli.views import describe_parts
from fas_core.console import console
from fas_core.errors import ConfigError, require

if TYPE_CHECKING:
    from fas_core.inference.parts import Engine, PartOptions
    from fas_core.inference.score_samples import SplitOptions
    from fas_core.records.samples import SampleTable
    from fas_core.scores.table import ScoreTable

ROWS = 1024

engine_option = option(
    "--engine",
    "name",
    type=click.Choice(["ray"]),
    panel=panels.MACHINE,
    help="Work in parts on a cluster: Ray's of RAY_ADDRESS, or one of this machine.",
)
part_rows_option = option(
    "--part-rows",
    type=click.IntRange(1),
    default=ROWS,
    show_default=True,
    panel=panels.MACHINE,
    help="Samples of a part, a multiple of 32.",
)


@frozen
class ChosenEngine:
    """The engine that a user chose, and where it writes."""

    run: Engine
    options: PartOptions


def engine_options(command: Command) -> Command:
    """Give a command `--engine` and what belongs to it, as one argument `engine`, None without."""

    @engine_option
    @option(
        "--into",
        metavar="FOLDER|URL",
        panel=panels.MACHINE,
        help="Folder of the parts, Parquet files, with --engine. Finished parts are kept when you give the "
        "command again.",
    )
    @part_rows_option
    @option(
        "--predictors",
        type=click.IntRange(1),
        panel=panels.MACHINE,
        help="Processes that score with --engine, each with one CPU; by default one per CPU of the cluster.",
    )
    @functools.wraps(command)
    def wrapped(
        *args: Any, name: str | None, into: str | None, part_rows: int, predictors: int | None, **kwargs: Any
    ) -> Any:
        return command(*args, engine=_choose(name, into, part_rows, predictors), **kwargs)

    return wrapped


def _choose(name: str | None, into: str | None, rows: int, predictors: int | None) -> ChosenEngine | None:
    if name is None:
        if into is not None or predictors is not None or rows != ROWS:
            raise ConfigError("--into, --part-rows and --predictors belong to --engine: give --engine ray")
        return None
    if into is None:
        raise ConfigError(f"--engine {name} writes Parquet parts: give --into FOLDER")
    engine = load_engine()
    from fas_core.inference.parts import PartOptions

    return ChosenEngine(engine, PartOptions(into, rows, predictors))


def load_engine() -> Engine:
    """Return Ray, the one engine there is.

    Raises:
        FasError: it is not installed.
    """
    require("ray", "ray", "fsspec")
    from fas_core.inference.ray_engine import run_on_ray

    return run_on_ray


def score_by(
    engine: ChosenEngine, model: Path, options: SplitOptions, external: Path | None, detector: str | None
) -> SplitOptions:
    """Return the options with an engine in place of this process, which prints where the parts are."""
    from fas_core.inference.part_jobs import EvaluationJob
    from fas_core.inference.parts import refuse_run, run_parts
    from fas_core.scores.table import ScoreTable

    refuse_run(model)
    job = EvaluationJob(model, external, detector, options.only)

    def score(samples: SampleTable) -> ScoreTable:
        finished = run_parts(job, samples, engine.options, engine.run, options.split)
        console.info(describe_parts(finished))
        return ScoreTable(finished.folder.read())

    return evolve(options, elsewhere=score)
