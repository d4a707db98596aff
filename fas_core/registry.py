"""Plugin discovery: every entry point of the group `fas` becomes a record.

The plugins of fas-core are discovered like all others. A plugin that cannot be loaded becomes a *failed*
record with the reason, and the others work. A name that two plugins provide is an error when it is used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Literal, TypeVar

import pluggy
from attrs import evolve, frozen

from fas_core import __version__, hookspecs
from fas_core.descriptors import KINDS, Component
from fas_core.errors import PluginError, format_list, suggest_closest

GROUP = "fas"
DISABLE = "FAS_DISABLE_PLUGINS"
"""Environment variable: comma-separated names of plugins or distributions that are not loaded."""

CORE = re.compile(r"fas[-_.]core(?![-_.\w])", re.IGNORECASE)
"""The start of a requirement on fas-core."""

C = TypeVar("C", bound=Component)

Status = Literal["active", "disabled", "failed"]


@frozen
class PluginRecord:
    """A plugin: one entry point of a distribution; `error` is why it failed, in one line."""

    name: str
    distribution: str
    version: str
    status: Status
    error: str = ""
    components: tuple[Component, ...] = ()

    @property
    def provider(self) -> str:
        """The plugin in messages: `plugin 'losses' of fas-core 1.0`."""
        return f"plugin {self.name!r} of {self.distribution} {self.version}"


@frozen
class Registry:
    """All installed plugins, and the components of the active ones."""

    records: tuple[PluginRecord, ...]

    def all(self, kind: type[C]) -> list[C]:
        """Return all components of a kind, sorted by name; two of one name if two plugins provide it."""
        components = [item for record in self.records for item in record.components]
        return sorted((item for item in components if isinstance(item, kind)), key=lambda item: item.name)

    def providers(self, kind: type[Component], name: str) -> list[PluginRecord]:
        """Return the active plugins that provide a component of this kind and name."""

        def provides(record: PluginRecord) -> bool:
            return any(isinstance(item, kind) and item.name == name for item in record.components)

        return [*filter(provides, self.records)]

    def find(self, kind: type[C], name: str) -> C:
        """Return the component of this kind and name; raise PluginError unless one plugin provides it."""
        providers = self.providers(kind, name)
        if len(providers) > 1:
            raise PluginError(describe_clash(kind, name, providers))
        components = {component.name: component for component in self.all(kind)}
        if name in components:
            return components[name]
        failed = [record.provider for record in self.records if record.status == "failed"]
        hint = f"; failed: {', '.join(failed)}, see `fas plugins list`" if failed else ""
        raise PluginError(
            f"{kind.kind} {name!r}: no plugin provides it{suggest_closest(name, components)}{hint}"
        )

    def clashes(self) -> list[str]:
        """Return one line for every name that more than one plugin provides."""
        names = sorted({(item.kind, item.name) for record in self.records for item in record.components})
        providers = [(KINDS[kind], name, self.providers(KINDS[kind], name)) for kind, name in names]
        return [describe_clash(*clash) for clash in providers if len(clash[2]) > 1]


def describe_clash(kind: type[Component], name: str, providers: Iterable[PluginRecord]) -> str:
    """Return a message with all providers of a name, and how to disable the last one that is not fas-core."""
    ordered = sorted(providers, key=lambda record: not CORE.fullmatch(record.distribution))
    names, last = " and by ".join(record.provider for record in ordered), token(ordered[-1])
    return (
        f"{kind.kind} {name!r} is provided by {names}: disable one, "
        f"e.g. fas --disable-plugin {last} ... or {DISABLE}={last}"
    )


def token(record: PluginRecord) -> str:
    """Return the name that disables exactly this plugin: `distribution:entry-point`."""
    return f"{record.distribution}:{record.name}"


def registry() -> Registry:
    """Return the plugins of this environment; those that `FAS_DISABLE_PLUGINS` names are disabled."""
    return _build_registry(frozenset(filter(None, os.environ.get(DISABLE, "").replace(" ", "").split(","))))


@cache
def _build_registry(disabled: frozenset[str]) -> Registry:
    return Registry(tuple(discover(entry_points(group=GROUP), disabled)))


def discover(entries: Iterable[EntryPoint], disabled: frozenset[str] = frozenset()) -> Iterator[PluginRecord]:
    """Load plugins and yield a record for each entry point."""
    for entry in entries:
        name, version, requires = _read_metadata(entry.dist)
        record = PluginRecord(entry.name, name, version, "active")
        if disabled & {entry.name, name, token(record)}:
            yield evolve(record, status="disabled")
            continue
        try:
            _check_core_version(requires)
            yield evolve(record, components=_load_components(entry))
        except (Exception, SystemExit) as error:  # a plugin may raise anything; the others must still work
            line = f"{type(error).__name__}: {error}".splitlines()[0]
            yield evolve(record, status="failed", error=line)


@lru_cache(maxsize=1)  # a distribution's entry points follow each other, and its metadata are slow to read
def _read_metadata(distribution: Distribution | None) -> tuple[str, str, tuple[str, ...]]:
    """Return a distribution's name, version and requirements (none for fas-core itself)."""
    if distribution is None:
        return "?", "?", ()
    metadata = distribution.metadata
    requires = [] if CORE.fullmatch(metadata["Name"]) else metadata.get_all("Requires-Dist", [])
    return metadata["Name"], metadata["Version"], tuple(map(str, requires))


def _check_core_version(requires: Iterable[str]) -> None:
    """Raise PluginError if this version of fas-core does not meet a plugin's requirement on it."""
    for text in filter(CORE.match, requires):
        from packaging.requirements import Requirement  # slow to import, and rarely needed

        requirement = Requirement(text)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and not requirement.specifier.contains(__version__, prereleases=True):
            version = requirement.specifier
            raise PluginError(f"asks for fas-core{version}, and this is {__version__}: upgrade fas-core")


def _load_components(entry: EntryPoint) -> tuple[Component, ...]:
    """Import a plugin and return the descriptors that its hooks yield, one or more and no name twice."""
    plugin = entry.load()
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.check_pending()
    if not manager.get_hookcallers(plugin):
        raise PluginError(f"{entry.value} implements no hook: mark one with @fas_core.hookimpl")
    components: list[Component] = []
    for kind in KINDS.values():
        for descriptors in getattr(manager.hook, kind.hook)():
            components.extend(_check_descriptors(descriptors, kind))
    if not components:
        raise PluginError(f"{entry.value} provides nothing: its hooks must yield descriptors")
    names = [(component.kind, component.name) for component in components]
    if duplicates := {name for name in names if names.count(name) > 1}:
        twice = format_list(" ".join(name) for name in sorted(duplicates))
        raise PluginError(f"{entry.value} yields twice: {twice}")
    return tuple(components)


def _check_descriptors(descriptors: Iterable[object], kind: type[Component]) -> Iterator[Component]:
    for descriptor in descriptors:
        if not isinstance(descriptor, kind):
            raise PluginError(f"{kind.hook} gave {descriptor!r}: it must yield {kind.__name__} records")
        yield descriptor
