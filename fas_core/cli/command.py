"""The classes of `fas` commands: those of click, whose help has examples, groups of options, and colours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class PanelOption(click.Option):
    """An option that the help shows in the group `panel`; under `Options` without one."""

    def __init__(self, *args: Any, panel: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.panel = panel


def option(*names: str, **attributes: Any) -> Callable[[Decorated], Decorated]:
    """Give a command an option as `click.option` does; `panel` is its group in the help."""
    return click.option(*names, cls=PanelOption, **attributes)


class FasCommand(click.Command):
    """A command whose help shows how it is called.

    Args:
        examples: lines of a shell, of at most 76 characters: a comment on what it is for before each command.
        panel: heading under which the help of its group lists it.
    """

    panels: tuple[()] = ()
    """None besides those that options and commands name, see `rich_click.RichCommand`."""

    def __init__(self, *args: Any, examples: str = "", panel: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = inspect.cleandoc(examples)
        self.panel = panel

    def get_help(self, ctx: click.Context) -> str:
        """Return the help as it is to be printed, with colours where stdout shows them."""
        from fas_core.cli.help import render_help  # slow to import, and few calls show help

        ctx.color = True  # click prints it as it is
        return render_help(self, ctx, self.examples)
