"""Groups of commands: the core's own and, below or beside them, those that plugins provide.

Listing a group imports none of its commands; a command's module is imported when the command is called.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

import rich_click as click
from attrs import field, frozen

from fas_core.descriptors import PANELS, Command
from fas_core.errors import PluginError, require
from fas_core.registry import describe_clash, registry

HELP_FLAGS = {"-h", "--help"}


@frozen
class CoreCommand:
    """A command of the core.

    Args:
        summary: one line for the group's help.
        target: `"package.module:attribute"` of the click command.
        panel: heading of the group's help that it is listed under.
    """

    summary: str
    target: str = field()
    panel: str = ""

    def load(self) -> click.Command:
        module, _, attribute = self.target.partition(":")
        return cast(click.Command, getattr(importlib.import_module(module), attribute))


class CommandGroup(click.RichGroup):
    """A group whose commands are the core's and those of plugins whose names begin with `prefix`.

    Args:
        prefix: what stands before a command's own name in its descriptor: `""`, or `"config "` for a group
            of that name.
        core: the core's commands by name, in the order of the help page.
    """

    def __init__(
        self, *args: Any, prefix: str = "", core: Mapping[str, CoreCommand] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.prefix, self.core = prefix, dict(core or {})

    def list_commands(self, _: click.Context) -> list[str]:
        """The core's commands, then plugins', by panel; hidden ones are among them."""
        further = {command.name.removeprefix(self.prefix): command.panel for command in self._provided()}
        panels = dict.fromkeys(self.commands, "") | {name: ours.panel for name, ours in self.core.items()}
        panels |= {name: panel for name, panel in further.items() if name not in panels}
        return sorted(panels, key=lambda name: _rank(panels[name]))  # sorting keeps the order within a panel

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """What a help page shows of a command, without importing it."""
        if name in self.commands:
            return super().get_command(ctx, name)
        if (ours := self.core.get(name)) is not None:
            return click.RichCommand(name=name, help=ours.summary, panel=ours.panel or None)
        for command in self._provided():
            if command.name == self.prefix + name:
                panel = None if self.prefix else command.panel
                return click.RichCommand(name=name, help=command.summary, hidden=command.hidden, panel=panel)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        if name is None or listed is None or name in self.commands:
            return name, listed, rest
        return name, self._load(name, help_only=bool(HELP_FLAGS & set(rest))), rest

    def _provided(self) -> list[Command]:
        """Plugins' commands of this group."""
        return [
            command
            for command in registry().all(Command)
            if command.name.startswith(self.prefix) and " " not in command.name.removeprefix(self.prefix)
        ]

    def _load(self, name: str, *, help_only: bool) -> click.Command:
        """Import a command.

        Raises:
            PluginError: two plugins provide it, or one provides a command of the core.
            FasError: modules of an extra that it needs are not installed, unless only its help is shown.
        """
        full_name = self.prefix + name
        providers = registry().providers(Command, full_name)
        if name in self.core:
            if providers:
                clash = describe_clash(Command, full_name, providers)
                raise PluginError(f"{clash}; `fas {full_name}` is fas-core's own")
            return self.core[name].load()
        command = registry().find(Command, full_name)
        if not help_only:
            require(command.extra, *command.modules, distribution=providers[0].distribution)
        return cast(click.Command, command.load())


def _rank(panel: str) -> int:
    """Known panels first, in their order; a plugin's own after them."""
    return PANELS.index(panel) if panel in PANELS else len(PANELS)
