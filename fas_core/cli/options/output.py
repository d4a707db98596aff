"""Flags that many commands share: what they print, and how many readers decode images."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import rich_click as click

from fas_core.console import console

Command = Callable[..., Any]


def output_options(command: Command) -> Command:
    """Give a command `--json` and `--quiet`, and set the console by them."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else.")
    @click.option("-q", "--quiet", is_flag=True, help="Print only warnings and errors.")
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, quiet: bool, **kwargs: Any) -> Any:
        console.json, console.quiet = as_json, quiet
        return command(*args, **kwargs)

    return wrapped


READERS = "Images that are read at the same time"

workers_option = click.option(
    "-j", "--workers", type=click.IntRange(1), help=f"{READERS}; by default one per core."
)

evaluation_workers_option = click.option(
    "-j", "--workers", type=click.IntRange(1), default=2, show_default=True, help=f"{READERS}."
)
