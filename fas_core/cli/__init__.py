"""`fas`: the root group. Each command is a file of this package, imported when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, cast

import rich_click as click

from fas_core import __version__
from fas_core.console import console
from fas_core.errors import FasError, PluginError
from fas_core.plugins import DISABLE, clash, registry

COMMANDS = {
    "train": "Train a model: from nothing, by recipe, or further.",
    "eval": "Score and judge a run or an exported model.",
    "report": "Write one HTML file about runs and score files.",
    "ensemble": "Make one system of several by their scores.",
    "score": "Judge any system by its file of scores.",
    "submit": "Write the file that a challenge takes.",
    "export": "Write a trained model for other runtimes.",
    "predict": "Live or attack: images, folders, videos, cameras.",
    "explain": "Draw what a model looks at: Grad-CAM and occlusion.",
    "serve": "Answer over HTTP, with a page for photos and the webcam.",
    "import": "Make a run of a published checkpoint.",
    "models": "Look at networks: size, cost, memory, latency.",
    "data": "Make, check, measure, crop and look at data.",
    "config": "Look at recipes.",
    "plugins": "Look at what is installed.",
}
MODULES = {"import": "import_"}
"""Files that cannot have their command's name, which Python keeps for itself."""

INTERRUPTED = 130


class Root(click.RichGroup):
    """Our commands by file name, then the plugins'; a user's mistake is one line and exit code 2."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_summaries())

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """What a list of commands shows; listing imports none of them."""
        summary = _summaries().get(name)
        return None if summary is None else click.RichCommand(name=name, help=summary)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, None if name is None or listed is None else _load(name), rest

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FasError as error:
            console.error(str(error))
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            console.error("interrupted")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:  # `fas ... | head`: the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)


def _summaries() -> dict[str, str]:
    """Every command and what it does: ours first, and as they are whatever plugins claim."""
    return COMMANDS | {item.name: item.summary for item in registry().all("command")} | COMMANDS


def _load(name: str) -> click.Command:
    """The command itself.

    Raises:
        PluginError: two plugins provide it, or one provides what is ours.
    """
    if name not in COMMANDS:
        return cast(click.Command, registry().find("command", name).load())
    if providers := registry().providers("command", name):
        raise PluginError(f"{clash('command', name, providers)}; `fas {name}` is fas-core's own")
    return cast(click.Command, importlib.import_module(f"fas_core.cli.{MODULES.get(name, name)}").command)


def _disable(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> None:
    """In the environment, so that worker processes agree."""
    if names:
        os.environ[DISABLE] = ",".join(filter(None, (os.environ.get(DISABLE, ""), *names)))


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fas")
@click.option(
    "--disable-plugin",
    multiple=True,
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=_disable,
    help=f"Do without a plugin (entry point, distribution, or distribution:entry-point); also {DISABLE}.",
)
def main() -> None:
    """Train, judge, ship and run face anti-spoofing models.

    1 = live, a higher score is more live, accept when score >= threshold.
    """
