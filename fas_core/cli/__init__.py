"""The root command group `fas`. The core's commands are modules of this package, all others are plugins."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import rich_click as click

from fas_core import __version__
from fas_core.cli.group import CommandGroup, CoreCommand
from fas_core.console import console, discard_output
from fas_core.descriptors import PANELS
from fas_core.errors import FasError
from fas_core.names import escape_controls
from fas_core.registry import DISABLE

TRAIN, SHIP, _, INSPECT = PANELS

INTERRUPTED, PIPE_CLOSED = 130, 141
"""128 and the number of the signal, SIGINT or SIGPIPE, as shells count."""


class Root(CommandGroup):
    """The root group: it turns a `FasError` into one line on stderr and an exit code."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _escape_usage_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _escape_usage_errors(), console.flushing():
                return super().invoke(ctx)
        except FasError as error:
            with suppress(FasError):  # stderr cannot be written either
                console.error(error.message, error.problems)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            console.error("interrupted")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:  # `fas ... | head`: the reader has closed the pipe
            discard_output(sys.stdout)
            ctx.exit(PIPE_CLOSED)


@contextmanager
def _escape_usage_errors() -> Iterator[None]:
    """Escape control characters of arguments that click's own messages repeat."""
    try:
        yield
    except click.ClickException as error:
        error.message = escape_controls(error.message)
        raise


def _disable(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> None:
    """Disable plugins through the environment, so that worker processes disable them too."""
    if names:
        os.environ[DISABLE] = ",".join(filter(None, (os.environ.get(DISABLE, ""), *names)))


COMMANDS = (
    ("train", TRAIN, "Train a model by a recipe, or continue a run."),
    ("eval", TRAIN, "Score and evaluate a run or an exported model."),
    ("export", SHIP, "Write a trained model for other runtimes."),
    ("predict", SHIP, "Classify images, folders, videos and cameras."),
    ("config", INSPECT, "Show, list and convert recipes."),
    ("plugins", INSPECT, "List the installed plugins and those that failed."),
)


@click.group(
    cls=Root,
    core={
        name: CoreCommand(summary, f"fas_core.cli.{name}:command", panel) for name, panel, summary in COMMANDS
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="fas")
@click.option(
    "--disable-plugin",
    multiple=True,
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=_disable,
    help=f"Disable a plugin (entry point, distribution, or distribution:entry-point); also {DISABLE}.",
)
def main() -> None:
    """Train, evaluate, ship and run face anti-spoofing models.

    1 = live, a higher score is more live, accept when score >= threshold.
    """
