"""Finding plugins: every entry point of the group `fas` becomes a record, and never a crash.

Ours are found like anyone's. A plugin that cannot be used is a *failed* record that says why, and
the rest works. Two providers of one name are an error when that name is used, naming both.
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
"""Environment variable: comma-separated plugin or distribution names that are not loaded."""

CORE = re.compile(r"fas[-_.]core(?![-_.\w])", re.IGNORECASE)
"""What a requirement on fas-core begins with."""

C = TypeVar("C", bound=Component)

Status = Literal["active", "disabled", "failed"]


@frozen
class PluginRecord:
    """One entry point and what became of it.

    Args:
        name: the entry point's name.
        distribution: the distribution that declares it.
        version: that distribution's.
        status: `active`, `disabled` or `failed`.
        error: why it failed, in one line.
        components: what it provides when active.
    """

    name: str
    distribution: str
    version: str
    status: Status
    error: str = ""
    components: tuple[Component, ...] = ()

    @property
    def provider(self) -> str:
        """`plugin 'losses' of fas-core 1.0`, for messages."""
        return f"plugin {self.name!r} of {self.distribution} {self.version}"


@frozen
class Registry:
    """All plugins that were found, and what the active ones provide."""

    records: tuple[PluginRecord, ...]

    def all(self, kind: type[C]) -> list[C]:
        """The components of one kind by name; each provider's where two have the same name."""
        components = [item for record in self.records for item in record.components]
        return sorted((item for item in components if isinstance(item, kind)), key=lambda item: item.name)

    def providers(self, kind: type[Component], name: str) -> list[PluginRecord]:
        """The active plugins that provide a component of this kind and name."""
        return [
            record
            for record in self.records
            if any(isinstance(item, kind) and item.name == name for item in record.components)
        ]

    def find(self, kind: type[C], name: str) -> C:
        """Return the one component of this kind and name.

        Raises:
            PluginError: no plugin provides it, or two plugins do.
        """
        providers = self.providers(kind, name)
        if len(providers) > 1:
            raise PluginError(describe_clash(kind, name, providers))
        components = self.all(kind)
        for component in components:
            if component.name == name:
                return component
        unusable = [record.provider for record in self.records if record.status == "failed"]
        hint = f"; failed: {', '.join(unusable)}, see `fas plugins list`" if unusable else ""
        known = {component.name for component in components}
        raise PluginError(f"{kind.kind} {name!r}: no plugin provides it{suggest_closest(name, known)}{hint}")

    def clashes(self) -> list[str]:
        """One line for every name that two plugins provide."""
        names = {(item.kind, item.name) for record in self.records for item in record.components}
        claimed = [(KINDS[kind], name, self.providers(KINDS[kind], name)) for kind, name in sorted(names)]
        return [describe_clash(kind, name, several) for kind, name, several in claimed if len(several) > 1]


def describe_clash(kind: type[Component], name: str, providers: Iterable[PluginRecord]) -> str:
    """Say who provides a name twice, and how to disable one of them, a stranger's rather than ours."""
    ordered = sorted(providers, key=lambda record: not CORE.fullmatch(record.distribution))
    names, last = " and by ".join(record.provider for record in ordered), token(ordered[-1])
    return (
        f"{kind.kind} {name!r} is provided by {names}: disable one, "
        f"e.g. fas --disable-plugin {last} ... or {DISABLE}={last}"
    )


def token(record: PluginRecord) -> str:
    """The name that disables exactly this plugin: `distribution:entry-point`."""
    return f"{record.distribution}:{record.name}"


def registry() -> Registry:
    """The plugins of this environment, less those that `FAS_DISABLE_PLUGINS` names."""
    return _discovered(tuple(sorted(filter(None, os.environ.get(DISABLE, "").replace(" ", "").split(",")))))


@cache
def _discovered(disabled: tuple[str, ...]) -> Registry:
    return Registry(tuple(discover(entry_points(group=GROUP), frozenset(disabled))))


def discover(found: Iterable[EntryPoint], disabled: frozenset[str] = frozenset()) -> Iterator[PluginRecord]:
    """A record for every entry point of the group."""
    for entry in found:
        name, version, requires = _origin(entry.dist)
        record = PluginRecord(entry.name, name, version, "active")
        if disabled & {entry.name, name, token(record)}:
            yield evolve(record, status="disabled")
            continue
        try:
            _check_core_version(requires)
            yield evolve(record, components=_components(entry))
        except (Exception, SystemExit) as error:  # whatever a stranger's plugin raises becomes its record
            line = f"{type(error).__name__}: {error}".splitlines()[0]
            yield evolve(record, status="failed", error=line)


@lru_cache(maxsize=1)  # a distribution's entry points follow each other, and its metadata are slow to read
def _origin(distribution: Distribution | None) -> tuple[str, str, tuple[str, ...]]:
    """Name, version, and what it requires of other distributions."""
    if distribution is None:
        return "?", "?", ()
    metadata = distribution.metadata
    requires = [] if CORE.fullmatch(metadata["Name"]) else metadata.get_all("Requires-Dist", [])
    return metadata["Name"], metadata["Version"], tuple(map(str, requires))


def _check_core_version(requires: Iterable[str]) -> None:
    """Refuse a distribution whose own requirement on fas-core this core does not meet."""
    ours = [text for text in requires if CORE.match(text)]
    if not ours:
        return
    from packaging.requirements import Requirement  # slow to import, and seldom needed

    for requirement in map(Requirement, ours):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(__version__, prereleases=True):
            raise PluginError(
                f"asks for fas-core{requirement.specifier}, and this is {__version__}: upgrade fas-core"
            )


def _components(entry: EntryPoint) -> tuple[Component, ...]:
    """Import a plugin and ask each of its hooks what it provides.

    Raises:
        PluginError: it implements no hook, or yields nothing, what is no descriptor, or a name twice.
    """
    plugin = entry.load()
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.check_pending()
    if not manager.get_hookcallers(plugin):
        raise PluginError(f"{entry.value} implements no hook: mark one with @fas_core.hookimpl")
    components: list[Component] = []
    for kind in KINDS.values():
        for provided in getattr(manager.hook, kind.hook)():
            components.extend(_checked(provided, kind))
    if not components:
        raise PluginError(f"{entry.value} provides nothing: its hooks must yield descriptors")
    names = [(component.kind, component.name) for component in components]
    if twice := {name for name in names if names.count(name) > 1}:
        raise PluginError(
            f"{entry.value} yields twice: {format_list(' '.join(name) for name in sorted(twice))}"
        )
    return tuple(components)


def _checked(provided: Iterable[object], kind: type[Component]) -> Iterator[Component]:
    for component in provided:
        if not isinstance(component, kind):
            raise PluginError(f"{kind.hook} gave {component!r}: it must yield {kind.__name__} records")
        yield component
