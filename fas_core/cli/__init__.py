"""The root command group `fas`. The core's commands are modules of this package, all others are plugins."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

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


DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""Of writes that cannot succeed, wherever they are, click's own among them."""


class Root(CommandGroup):
    """The root group: it turns a `FasError` into one line on stderr and an exit code."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _exit_on_error():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _exit_on_error():
            return super().invoke(ctx)


@contextmanager
def _exit_on_error() -> Iterator[None]:
    """End the program with a line on stderr and an exit code for an error that is no bug."""
    try:
        with console.flushing():
            yield
    except FasError as error:
        _exit(error.exit_code, error.message, error.problems)
    except KeyboardInterrupt:
        _exit(INTERRUPTED, "interrupted")
    except BrokenPipeError:  # `fas ... | head`: the reader has closed the pipe
        discard_output(sys.stdout)
        _exit(PIPE_CLOSED)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        discard_output(sys.stdout)
        _exit(FasError.exit_code, f"{error.filename or 'output'}: cannot be written: {error.strerror}")
    except click.ClickException as error:  # whose message repeats arguments
        error.message = escape_controls(error.message)
        raise


def _exit(code: int, message: str = "", problems: Sequence[str] = ()) -> NoReturn:
    with suppress(FasError):  # stderr cannot be written either
        if message:
            console.error(message, problems)
    raise click.exceptions.Exit(code) from None


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
