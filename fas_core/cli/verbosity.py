"""`--quiet` and `--verbose`, which mean the same before and after a command's name."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from fas_core import __version__
from fas_core.cli.command import option
from fas_core.command_cache import command_registry
from fas_core.console import console
from fas_core.errors import ConfigError

Command = Callable[..., Any]


def verbosity_options(command: Command) -> Command:
    """Give a command, or `fas` itself, `--quiet` and `--verbose`, and set the console by them."""
    quiet = _build_flag("-q", "--quiet", "Print results, warnings and errors only.")
    verbose = _build_flag(
        "-v", "--verbose", "Add details and timings on stderr, and the traceback of an error."
    )
    return quiet(verbose(command))


def _build_flag(short: str, long: str, text: str) -> Callable[[Command], Command]:
    return option(
        short, long, is_flag=True, is_eager=True, expose_value=False, callback=_set_verbosity, help=text
    )


def _set_verbosity(_: click.Context, param: click.Parameter, value: bool) -> None:
    """Set a flag of the console; one that was given before the command's name stays."""
    if param.name == "quiet":
        console.quiet |= value
    else:
        console.verbose |= value
    if console.quiet and console.verbose:
        raise ConfigError("--quiet and --verbose: give one of them")


@contextmanager
def telling_time() -> Iterator[None]:
    """With `--verbose` print what runs before the block, and after it how long it took."""
    start = time.perf_counter()
    if console.verbose:
        console.detail(_describe_versions())
    try:
        yield
    finally:
        ctx = click.get_current_context(silent=True)
        name = "fas" if ctx is None else ctx.command_path
        console.detail(f"{name}: {time.perf_counter() - start:.3g} s")


def _describe_versions() -> str:
    """Return e.g. `fas 0.1.0, Python 3.11.7, Linux; plugins: acme-fas 1.0`."""
    others = {str(item.provider) for item in command_registry().records if not item.provider.is_core}
    plugins = f"; plugins: {', '.join(sorted(others))}" if others else ""
    return f"fas {__version__}, Python {platform.python_version()}, {platform.system()}{plugins}"
