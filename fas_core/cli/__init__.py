"""The root command group `fas`. The core's commands are modules of this package, all others are plugins."""

from __future__ import annotations

import os
import sys
from typing import Any

import rich_click as click

from fas_core import __version__
from fas_core.cli.group import CommandGroup, CoreCommand
from fas_core.console import console
from fas_core.descriptors import PANELS
from fas_core.errors import FasError
from fas_core.registry import DISABLE
from fas_core.text_files import shorten

TRAIN, SHIP, _, INSPECT = PANELS

INTERRUPTED = 130


class Root(CommandGroup):
    """The root group: it turns a `FasError` into one line on stderr and an exit code.

    So it does with what the operating system refuses of a file, wherever it happens: no such folder, a name
    that is too long, a full disk.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any("\0" in argument for argument in args):  # possible where a program calls `main`
            raise click.UsageError("an argument has a NUL, which no name or path can have", ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FasError as error:
            console.error(str(error))
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            console.error("interrupted")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:  # `fas ... | head`: the reader has closed the pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OSError as error:
            if error.filename is None:
                raise
            console.error(f"{shorten(os.fsdecode(error.filename), 300)}: {error.strerror}")
            ctx.exit(FasError.exit_code)


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
