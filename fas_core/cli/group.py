"""Command groups of the core's commands and of those that plugins provide.

Listing a group imports none of its commands; a command's module is imported when the command is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import click
from attrs import frozen

from fas_core.cli.command import FasCommand
from fas_core.command_cache import command_registry
from fas_core.component import load_target
from fas_core.console import console
from fas_core.errors import PluginError, require, suggest_closest
from fas_core.registry import describe_shadowed
from fas_core.remembered_kinds import PANELS, Command

HELP_FLAGS = {"-h", "--help"}


@frozen
class CoreCommand:
    """A command of the core: its line in the group's help, `"module:attribute"`, and the help's panel."""

    summary: str
    target: str
    panel: str = ""

    def load(self) -> click.Command:
        return cast(click.Command, load_target(self.target))


class CommandGroup(FasCommand, click.Group):
    """A group of core commands and of the plugins' commands whose names begin with `prefix`.

    Args:
        prefix: `""` for the root group, `"config "` for the group `config`.
        core: the core's commands by name, in the order of the help.
        examples: as of `FasCommand`, of which commands are that `@group.command()` adds.
    """

    command_class = FasCommand

    def __init__(
        self, *args: Any, prefix: str = "", core: Mapping[str, CoreCommand] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.prefix, self.core = prefix, dict(core or {})

    def list_commands(self, _: click.Context) -> list[str]:
        """Return all names, hidden ones too, by panel; in a panel the core's come before the plugins'."""
        plugins = {item.name.removeprefix(self.prefix): item.panel for item in self._plugin_commands()}
        core = {name: item.panel for name, item in self.core.items()}
        panels = plugins | dict.fromkeys(self.commands, "") | core
        core_first = dict.fromkeys([*self.commands, *self.core, *plugins])
        return sorted(core_first, key=lambda name: _panel_index(panels[name]))  # sorting is stable

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return what the help shows of a command, without importing it."""
        if name in self.commands:
            return super().get_command(ctx, name)
        if (core := self.core.get(name)) is not None:
            return FasCommand(name=name, help=core.summary, panel=core.panel or None)
        for command in self._plugin_commands():
            if self._full_name(name) in (command.name, command.qualified_name):
                panel = None if self.prefix else command.panel
                return FasCommand(name=name, help=command.summary, hidden=command.hidden, panel=panel)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_known = self.get_command(ctx, args[0]) is not None
        if ctx.resilient_parsing and not is_known:  # a shell asks for completions
            return None, None, args
        if not args[0].startswith("-") and not is_known:
            suggestion = suggest_closest(args[0], self.list_commands(ctx))
            raise click.UsageError(f"no such command {args[0]!r}{suggestion}", ctx)
        name, listed, rest = super().resolve_command(ctx, args)
        if name is None or listed is None:
            return name, listed, rest
        if name in self.commands:
            self._warn_of_shadowed(name)
            return name, listed, rest
        help_only = ctx.resilient_parsing or bool(HELP_FLAGS & set(rest))
        return name, self._load(name, help_only=help_only), rest

    def _plugin_commands(self) -> list[Command]:
        return [
            command
            for command in command_registry().all(Command)
            if command.name.startswith(self.prefix) and " " not in command.name.removeprefix(self.prefix)
        ]

    def _load(self, name: str, *, help_only: bool) -> click.Command:
        """Import a command; of a name that plugins provide too, the core's own with a warning.

        Raises:
            PluginError: two plugins provide it, or it cannot be imported or is no click command.
            FasError: the extra that it needs is not installed, and this is not for its help.
        """
        full_name = self._full_name(name)
        if name in self.core:
            self._warn_of_shadowed(name)
            return self.core[name].load()
        command = command_registry().find(Command, full_name)
        if not help_only:
            distribution = command.provider.distribution if command.provider else "fas-core"
            require(command.extra, *command.modules, distribution=distribution)
        loaded = command.load()
        if not isinstance(loaded, click.Command):
            advice = "decorate it with @click.command()"
            raise PluginError(f"{command}: {command.target} is no click command: {advice}")
        return loaded

    def _warn_of_shadowed(self, name: str) -> None:
        """Warn where a plugin provides a command of the core's name."""
        if providers := command_registry().providers(Command, self._full_name(name)):
            console.warn_once(describe_shadowed(Command, self.prefix + name, providers))

    def _full_name(self, name: str) -> str:
        """Return a command's name after `fas`, with the distribution of a qualified name before it."""
        distribution, colon, bare = name.rpartition(":")
        return f"{distribution}{colon}{self.prefix}{bare}"


def _panel_index(panel: str) -> int:
    """Return the position of a panel in the help; further panels of plugins follow the known ones."""
    return PANELS.index(panel) if panel in PANELS else len(PANELS)
