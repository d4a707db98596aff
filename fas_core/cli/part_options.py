"""The options of commands that can leave their work to an engine, which does it in parts on many machines."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import rich_click as click
from attrs import frozen

from fas_core.cli.options import Command
from fas_core.errors import ConfigError, require

if TYPE_CHECKING:
    from fas_core.inference.parts import Engine, PartOptions

ROWS = 1024


@frozen
class ChosenEngine:
    """The engine that a user chose, and where it writes."""

    run: Engine
    options: PartOptions


def engine_options(command: Command) -> Command:
    """Give a command `--engine` and what belongs to it, as one argument `engine`, None without."""

    @click.option(
        "--engine",
        "name",
        type=click.Choice(["ray"]),
        help="Score in parts on a cluster: Ray's of RAY_ADDRESS, or one of this machine.",
    )
    @click.option(
        "--into",
        metavar="FOLDER|URL",
        help="Folder of the parts, Parquet files, with --engine. Finished parts are kept when you give the "
        "command again.",
    )
    @click.option(
        "--part-rows",
        type=click.IntRange(1),
        default=ROWS,
        show_default=True,
        help="Samples of a part, a multiple of 32.",
    )
    @click.option(
        "--predictors",
        type=click.IntRange(1),
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
    require("ray", "ray", "fsspec")
    from fas_core.inference.parts import PartOptions
    from fas_core.inference.ray_engine import run_on_ray

    return ChosenEngine(run_on_ray, PartOptions(into, rows, predictors))
