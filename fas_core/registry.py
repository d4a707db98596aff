"""The installed plugins, and lookup of their components by kind and name.

The plugins of fas-core are discovered like all others. Of a name that several plugins provide, fas-core's own
component is used, with a warning; without one it is an error when it is used. `distribution:name` picks one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from types import FrameType
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from fas_core.component import Component
from fas_core.console import console
from fas_core.discovery import PluginRecord, canonical, discover
from fas_core.errors import PluginError, suggest_closest
from fas_core.failures import Provider, describe_failure, module_of, top_package
from fas_core.remembered_kinds import Command

__all__ = ["DISABLE", "PluginRecord", "Registry", "Required", "registry"]

DISABLE = "FAS_DISABLE_PLUGINS"
"""Environment variable: comma-separated names of plugins or distributions that are not loaded."""

C = TypeVar("C", bound=Component)

Required = Mapping[str, Mapping[str, Any]]
"""Plugins that a run or a file needs: `{distribution: {"version": ..., "components": ["loss poly1"]}}`."""


@frozen
class Registry:
    """All installed plugins, and the components of the active ones.

    Args:
        required: plugins that the run or file at hand was made with: a missing component of theirs is an
            error that names them, and of a name with several providers theirs is used.
    """

    records: tuple[PluginRecord, ...]
    required: Required = field(factory=dict, hash=False)

    def all(self, kind: type[C]) -> list[C]:
        """Return all components of a kind, sorted by name; two of one name if two plugins provide it."""
        components = [item for record in self.records for item in record.components]
        return sorted((item for item in components if isinstance(item, kind)), key=lambda item: item.name)

    def names(self, kind: type[Component]) -> set[str]:
        """Return every name that finds a component of a kind: bare and qualified ones."""
        return {name for item in self.all(kind) for name in (item.name, item.qualified_name)}

    def name_of(self, component: Component) -> str:
        """Return the shortest name that finds a component: the bare one unless another has that."""
        chosen = self._choose(type(component), component.name)
        return component.name if chosen is component else component.qualified_name

    def providers(self, kind: type[Component], name: str) -> list[PluginRecord]:
        """Return the active plugins that provide a component of this kind and name, bare or qualified."""
        return [record for record, _ in self._matches(kind, name)]

    def find(self, kind: type[C], name: str) -> C:
        """Return the component of this kind and name, which may be qualified: `acme-fas:gap`.

        Raises:
            PluginError: no plugin provides it, or several of other distributions than fas-core.
        """
        matches = self._matches(kind, name)
        if not matches:
            raise PluginError(self._describe_missing(kind, name))
        if (chosen := self._choose(kind, name)) is None:
            raise PluginError(describe_clash(kind, name, [record for record, _ in matches]))
        if len(matches) > 1 and chosen.provider is not None and chosen.provider.is_core:
            console.warn_once(describe_shadowed(kind, name, [record for record, _ in matches]))
        return chosen

    def provider_of(self, kind: type[Component], name: str) -> Provider | None:
        """Return the distribution that a component comes from, or of a missing one came; None if unknown."""
        chosen = self._choose(kind, name)
        if chosen is not None:
            return chosen.provider
        component = f"{kind.kind} {name.rpartition(':')[2]}"
        for distribution, plugin in self.required.items():
            if component in plugin.get("components", ()):
                return Provider(distribution, str(plugin.get("version", "")))
        return None

    def split_name(self, kind: type[Component], text: str) -> tuple[str, str | None]:
        """Split `NAME:REST`, where NAME may be qualified itself; REST is None where there is none."""
        first, colon, rest = text.partition(":")
        second, further, tail = rest.partition(":")
        if colon and self._matches(kind, f"{first}:{second}"):
            return f"{first}:{second}", tail if further else None
        return first, rest if colon else None

    def clashes(self) -> list[str]:
        """Return one line for every name that more than one plugin provides."""
        names = {(type(item), item.name) for record in self.records for item in record.components}
        lines = []
        for kind, name in sorted(names, key=lambda item: (item[0].kind, item[1])):
            if len(providers := self.providers(kind, name)) > 1:
                has_core = any(record.provider.is_core for record in providers)
                describe = describe_shadowed if has_core else describe_clash
                lines.append(describe(kind, name, providers))
        return lines

    def requiring(self, required: Required) -> Registry:
        """Return the registry for a run or a file that was made with these plugins."""
        plugins = {
            name: plugin
            for name, plugin in required.items()
            if isinstance(plugin, Mapping) and isinstance(plugin.get("components", []), list)
        }
        return evolve(self, required=plugins)

    def describe_failed(self) -> str:
        """Return the end of a message about a missing name: the failed plugins, empty text without any."""
        failed = [str(record) for record in self.records if record.status == "failed"]
        return f"; failed: {', '.join(failed)}, see `fas plugins list`" if failed else ""

    def name_failure(self, error: BaseException) -> PluginError | None:
        """Return the error as one of the plugin whose code raised it; None where that is fas-core's own.

        An exit of a command of a plugin is not one: it may end as it likes.
        """
        from traceback import walk_tb  # slow to import, and rarely needed

        frames = [frame for frame, _ in walk_tb(error.__traceback__)][::-1]
        others = [record for record in self.records if not record.provider.is_core]
        for frame in frames:
            if record := _owner(module_of(frame), others):
                component = _component_of(record, frames)
                if isinstance(error, SystemExit) and isinstance(component, Command | None):
                    return None
                package = top_package(module_of(frame))
                return PluginError(describe_failure(str(component or record), error, package))
        return None

    def _matches(self, kind: type[C], name: str) -> list[tuple[PluginRecord, C]]:
        distribution, _, bare = name.rpartition(":")
        return [
            (record, item)
            for record in self.records
            if not distribution or canonical(record.distribution) == canonical(distribution)
            for item in record.components
            if isinstance(item, kind) and item.name == bare
        ]

    def _choose(self, kind: type[C], name: str) -> C | None:
        """Return the one component of a name, that of a required plugin, or fas-core's; None if unclear."""
        matches = self._matches(kind, name)
        required = [item for record, item in matches if self._requires(record, kind, name)]
        core = [item for record, item in matches if record.provider.is_core]
        for components in ([item for _, item in matches], required, core):
            if len(components) == 1:
                return components[0]
        return None

    def _requires(self, record: PluginRecord, kind: type[Component], name: str) -> bool:
        components = self.required.get(record.distribution, {}).get("components", ())
        return f"{kind.kind} {name.rpartition(':')[2]}" in components

    def _describe_missing(self, kind: type[Component], name: str) -> str:
        """Say which plugin has the component, if that is known, else what has a similar name or failed."""
        component = f"{kind.kind} {name!r}"
        if (provider := self.provider_of(kind, name)) is not None:
            return f"{component}: needs {provider}: {self._advise(provider.distribution)}"
        known = {item.qualified_name if ":" in name else item.name for item in self.all(kind)}
        return f"{component}: no plugin provides it{suggest_closest(name, known)}{self.describe_failed()}"

    def _advise(self, distribution: str) -> str:
        """Say how to get a plugin that is missing."""
        records = [
            record for record in self.records if canonical(record.distribution) == canonical(distribution)
        ]
        for record in records:
            if record.status == "disabled":
                return f"it is disabled (--disable-plugin, {DISABLE})"
            if record.status == "failed":
                return f"it failed: {record.failure}"
        if records:
            return f"the installed {records[0].version} does not provide it"
        return f"pip install {distribution}"


def describe_clash(kind: type[Component], name: str, providers: Iterable[PluginRecord]) -> str:
    """Return a message with all providers of a name, how to pick one and how to disable the last one."""
    records = list(providers)
    names, last = " and by ".join(map(str, records)), records[-1].token
    picks = sorted({f"{record.distribution}:{name.rpartition(':')[2]}" for record in records})
    pick = f"pick one, {' or '.join(picks)}, or " if len(picks) > 1 else ""
    return (
        f"{kind.kind} {name!r} is provided by {names}: {pick}disable one, "
        f"e.g. fas --disable-plugin {last} ... or {DISABLE}={last}"
    )


def describe_shadowed(kind: type[Component], name: str, providers: Iterable[PluginRecord]) -> str:
    """Return a message that fas-core's own component of a name is used, and how to reach the others."""
    others = [record for record in providers if not record.provider.is_core]
    group, blank, last = name.rpartition(" ")  # of a command
    qualified = dict.fromkeys(f"{group}{blank}{record.distribution}:{last}" for record in others)
    return (
        f"{kind.kind} {name!r}: fas-core's own is used, not that of {' and '.join(map(str, others))}: "
        f"write {' or '.join(qualified)} for it"
    )


def registry() -> Registry:
    """Return the plugins of this environment; those that `FAS_DISABLE_PLUGINS` names are disabled."""
    return _build_registry(disabled_plugins())


def disabled_plugins() -> frozenset[str]:
    """Return the names in `FAS_DISABLE_PLUGINS`."""
    return frozenset(filter(None, os.environ.get(DISABLE, "").replace(" ", "").split(",")))


def forget_plugins() -> None:
    """Have `registry` find the plugins anew, as after one was installed."""
    _build_registry.cache_clear()


@cache
def _build_registry(disabled: frozenset[str]) -> Registry:
    from importlib.metadata import distributions  # slow to import, and rarely needed

    return Registry(tuple(discover(distributions(), disabled)))


def _owner(module: str, records: Iterable[PluginRecord]) -> PluginRecord | None:
    """Return the plugin whose package a module is in, of several in a namespace package the closest."""
    parts = module.split(".")

    def shared(record: PluginRecord) -> int:
        pairs = zip(parts, record.module.split("."), strict=False)
        return next((index for index, (one, other) in enumerate(pairs) if one != other), len(parts))

    candidates = [record for record in records if top_package(record.module) == parts[0]]
    return max(candidates, key=shared, default=None)


def _component_of(record: PluginRecord, frames: Iterable[FrameType]) -> Component | None:
    """Return the component whose target one of the frames runs, its class or function."""
    targets = {item.target: item for item in record.components}
    for frame in frames:
        name = f"{module_of(frame)}:{frame.f_code.co_qualname.partition('.')[0]}"
        if name in targets:
            return targets[name]
    return None
