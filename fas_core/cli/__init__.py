"""The root command group `fas`. The core's commands are modules of this package, all others are plugins."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import click
from click.exceptions import Abort, Exit, NoArgsIsHelpError, NoSuchOption

from fas_core import __version__
from fas_core.cli.command import option
from fas_core.cli.group import CommandGroup, CoreCommand
from fas_core.cli.verbosity import verbosity_options
from fas_core.command_cache import command_registry
from fas_core.console import console
from fas_core.deprecation import showing_deprecations
from fas_core.errors import ConfigError, FasError, find_closest, suggest_closest
from fas_core.failures import FAILURES, format_traceback
from fas_core.interruption import Interrupted
from fas_core.names import escape_lines
from fas_core.registry import DISABLE, registry
from fas_core.remembered_kinds import PANELS
from fas_core.text_files import shorten

TRAIN, SHIP, _, INSPECT = PANELS

INTERRUPTED, PIPE_CLOSED = 130, 141
"""128 and the number of the signal, SIGINT or SIGPIPE, as shells count."""

COMPLETING = "_FAS_COMPLETE"
"""Environment variable: a shell asks for completions, see `fas_core.cli.completion`."""

DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""Of writes that cannot succeed, wherever they are, click's own among them."""


class Root(CommandGroup):
    """The root group: every error that is no bug of fas becomes one line on stderr and an exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        console.reset()
        if COMPLETING in os.environ:
            from fas_core.cli.completion import answer_shell

            answer_shell(self)
        with showing_deprecations(console.warn_once):
            return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _reporting_errors():
            return super().make_context(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any("\0" in argument for argument in args):  # possible where a program calls `main`
            raise click.UsageError("an argument has a NUL, which no name or path can have", ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _reporting_errors():
            return super().invoke(ctx)


@contextmanager
def _reporting_errors() -> Iterator[None]:
    """End with one line for an error of the user or of a plugin; a bug of fas keeps its traceback."""
    try:
        with console.flushing():
            yield
    except (Exit, Abort):
        raise
    except NoArgsIsHelpError as error:
        click.echo(error.message, color=True)  # the help
        raise Exit(error.exit_code) from None
    except FasError as error:
        _end(error, error.message, error.exit_code, error.problems)
    except click.ClickException as error:
        _end(error, _describe_usage(error), error.exit_code)
    except Interrupted as error:
        _end(error, f"interrupted by {error}", error.exit_code)
    except KeyboardInterrupt as error:
        _end(error, "interrupted", INTERRUPTED)
    except BrokenPipeError:  # `fas ... | head`: the reader has closed the pipe
        console.discard_output()
        raise Exit(PIPE_CLOSED) from None
    except FAILURES as error:
        if isinstance(interrupt := error.__cause__, KeyboardInterrupt):  # a library made an ImportError of it
            _end(error, "interrupted", getattr(interrupt, "exit_code", INTERRUPTED))
        if failure := registry().name_failure(error):
            _end(error, failure.message, failure.exit_code)
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            console.discard_output()
            name = error.filename or "output"
            _end(error, f"{name}: cannot be written: {error.strerror}", FasError.exit_code)
        if refusal := _describe_refusal(error):
            _end(error, refusal.message, refusal.exit_code)
        raise


def _describe_refusal(error: BaseException) -> FasError | None:
    """Describe what the operating system refuses of a file: a name that is too long, a full disk, ..."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    return FasError(f"{shorten(os.fsdecode(error.filename), 300)}: {error.strerror}")


def _end(error: BaseException, message: str, exit_code: int, problems: Sequence[str] = ()) -> NoReturn:
    """Print why the command ends, with `--verbose` after the traceback, and exit."""
    with suppress(FasError, OSError):  # stderr cannot be written either
        if console.verbose:
            sys.stderr.write(f"{escape_lines(format_traceback(error))}\n")
        console.error(message, problems)
    raise Exit(exit_code) from error


def _describe_usage(error: click.ClickException) -> str:
    """Return click's message in one line, with the command that it is about and where its help is."""
    text = " ".join(error.format_message().split()).rstrip(".")
    if isinstance(error, NoSuchOption):
        text = _describe_unknown_option(error)
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return text
    path = error.ctx.command_path
    return f"{path}: {text[:1].lower()}{text[1:]}; see {path} --help"


def _describe_unknown_option(error: NoSuchOption) -> str:
    """Name the option, and the one of the command that is most like it."""
    params = [] if error.ctx is None else error.ctx.command.params
    options = {name.lstrip("-"): name for param in params for name in (*param.opts, *param.secondary_opts)}
    closest = find_closest(error.option_name.lstrip("-"), options)
    suggestion = "" if closest is None else f" (did you mean {options[closest]!r}?)"
    return f"no such option {error.option_name!r}{suggestion}"


def _disable(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> None:
    """Disable plugins through the environment, so that worker processes disable them too.

    A name of no plugin is refused: the one that was meant would stay active.
    """
    if not names:
        return
    os.environ[DISABLE] = ",".join(filter(None, (os.environ.get(DISABLE, ""), *names)))
    records = command_registry().records
    known = {text for item in records for text in (item.name, item.distribution, item.token)}
    for name in names:
        if name not in known:
            raise ConfigError(f"--disable-plugin {name!r}: no such plugin{suggest_closest(name, known)}")


COMMANDS = (
    ("train", TRAIN, "Train a model by a recipe, or continue a run."),
    ("eval", TRAIN, "Score and evaluate a run or an exported model."),
    ("export", SHIP, "Write a trained model for other runtimes."),
    ("predict", SHIP, "Classify images, folders, videos and cameras."),
    ("config", INSPECT, "Show, list and convert recipes."),
    ("plugins", INSPECT, "List the installed plugins and those that failed."),
    ("doctor", INSPECT, "Check the installation; a screen to paste into an issue."),
    ("completion", INSPECT, "Print what bash, zsh or fish needs to complete fas."),
)


@click.group(
    "fas",
    cls=Root,
    core={
        name: CoreCommand(summary, f"fas_core.cli.{name}:command", panel) for name, panel, summary in COMMANDS
    },
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples="""
        # train a first model, on simulated faces: minutes on two cores
        fas train
        # what it lets pass and whom it refuses, with curves, as a page
        fas report runs/quickstart
        # the model as one file that runs without PyTorch
        fas export runs/quickstart
    """,
)
@click.version_option(__version__, prog_name="fas")
@option(
    "--disable-plugin",
    multiple=True,
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=_disable,
    help=f"Disable a plugin (entry point, distribution, or distribution:entry-point); also {DISABLE}.",
)
@verbosity_options
@click.pass_context
def main(ctx: click.Context) -> None:
    """Train, evaluate, ship and run face anti-spoofing models.

    1 = live, a higher score is more live, accept when score >= threshold.
    """
    if ctx.invoked_subcommand is None:
        from fas_core.cli.first_steps import show_first_steps

        show_first_steps()
