"""The flags that say how a score file is read: its columns, and what labels and scores mean in it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from fas_core.cli import panels
from fas_core.cli.command import option
from fas_core.cli.options import Command
from fas_core.errors import ConfigError

if TYPE_CHECKING:
    from fas_core.scores.files.labels import Side

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "blank": " "}
SIDES = click.Choice(("live", "attack"))


def reading_options(command: Command) -> Command:
    """Give a command the flags that say how a score file is read, as one argument `reading`."""

    @option(
        "--column",
        "columns",
        multiple=True,
        metavar="ROLE=NAME",
        callback=_parse_columns,
        panel=panels.SCORE_FILES,
        help="Column of a role (id, score, label, species, subject, ...): its name, or its number from 1.",
    )
    @option(
        "--positive",
        type=SIDES,
        panel=panels.SCORE_FILES,
        help="What label 1 and a high score mean; live by default.",
    )
    @option(
        "--label-one",
        type=SIDES,
        panel=panels.SCORE_FILES,
        help="What label 1 means, if not the same as a high score.",
    )
    @option(
        "--high-score",
        type=SIDES,
        panel=panels.SCORE_FILES,
        help="What a high score means, if not the same as label 1.",
    )
    @option(
        "--delimiter",
        type=click.Choice(tuple(DELIMITERS)),
        panel=panels.SCORE_FILES,
        help="Delimiter of FILE; else detected.",
    )
    @option(
        "--header/--no-header",
        default=None,
        panel=panels.SCORE_FILES,
        help="Whether FILE has a header; else detected.",
    )
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        columns: dict[str, str],
        positive: Side | None,
        label_one: Side | None,
        high_score: Side | None,
        delimiter: str | None,
        header: bool | None,
        **kwargs: Any,
    ) -> Any:
        from fas_core.scores.files import Reading

        reading = Reading(
            columns=columns,
            label_one=label_one or positive,
            high_score=high_score or positive,
            delimiter=DELIMITERS.get(delimiter or ""),
            header=header,
        )
        return command(*args, reading=reading, **kwargs)

    return wrapped


def _parse_columns(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """Parse `ROLE=NAME`."""
    from fas_core.scores.files import ROLES

    columns = {}
    for text in texts:
        role, equals, name = text.partition("=")
        if not equals or role not in ROLES or role in columns:
            raise ConfigError(f"--column {text!r}: must be ROLE=NAME, each ROLE once, of {', '.join(ROLES)}")
        columns[role] = name
    return columns
