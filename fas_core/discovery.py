"""Discovery of plugins: every entry point of the group `fas` becomes a record, whatever it does.

A plugin that raises anything when it is imported or asked for its components, that is half installed or that
needs another fas-core is a *failed* record with the reason, and the others work.
"""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Literal

from attrs import evolve, field, frozen

from fas_core import API_VERSION, __version__
from fas_core.component import Component
from fas_core.console import console
from fas_core.deprecation import naming_user
from fas_core.errors import PluginError, format_list
from fas_core.failures import CORE, Provider, describe_error, format_traceback, locate_error, top_package
from fas_core.interruption import Interrupted

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

GROUP = "fas"

Status = Literal["active", "disabled", "failed"]


@frozen
class PluginRecord:
    """A plugin: one entry point of a distribution.

    Args:
        error: why it failed, in one line.
        components: what it provides.
        events: names of the event hooks that it implements, of `fas_core.hookspecs.EVENTS`.
        implementation: what implements its hooks, as its entry point names it; None unless it is active.
        module: the module that its entry point names.
        location: file and line of the error, where they are known.
        traceback: of the error.
    """

    name: str
    distribution: str
    version: str
    status: Status
    error: str = ""
    components: tuple[Component, ...] = ()
    events: tuple[str, ...] = ()
    implementation: object = field(default=None, repr=False, eq=False)
    module: str = ""
    location: str = ""
    traceback: str = field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        owned = tuple(evolve(item, provider=self.provider) for item in self.components)
        object.__setattr__(self, "components", owned)

    def __str__(self) -> str:
        """Return the plugin in messages: `plugin 'losses' of fas-core 1.0`."""
        return f"plugin {self.name!r} of {self.provider}"

    @property
    def provider(self) -> Provider:
        """The distribution that its components come from."""
        return Provider(self.distribution, self.version)

    @property
    def token(self) -> str:
        """The name that disables exactly this plugin: `distribution:entry-point`."""
        return f"{self.distribution}:{self.name}"

    @property
    def failure(self) -> str:
        """Why it failed and where, in one line."""
        return self.error + (f" ({self.location})" if self.location else "")


def discover(
    installed: Iterable[Distribution], disabled: frozenset[str] = frozenset()
) -> Iterator[PluginRecord]:
    """Load plugins and yield a record for each entry point; of a distribution's copies the first counts."""
    names = set()
    for distribution in installed:
        entries = _read_entries(distribution)
        if not entries:
            continue
        name, version, requires, problem = _read_metadata(distribution)
        if canonical(name) in names:
            continue
        names.add(canonical(name))
        for entry in entries:
            record = PluginRecord(entry.name, name, version, "active", module=entry.module)
            if disabled & {entry.name, name, record.token}:
                yield evolve(record, status="disabled")
            elif problem:
                yield evolve(record, status="failed", error=problem)
            else:
                yield _load(entry, record, requires)


def _read_entries(distribution: Distribution) -> list[EntryPoint]:
    try:
        return list(distribution.entry_points.select(group=GROUP))
    except Exception:  # a half-written file of any distribution: that is its users' concern
        return []


def _read_metadata(distribution: Distribution) -> tuple[str, str, tuple[str, ...], str]:
    """Return a distribution's name, version, requirements (none for fas-core), and why it is unusable."""
    folder = getattr(distribution, "_path", None)  # there is no public name for it
    try:
        metadata = distribution.metadata
        name, version = metadata["Name"], metadata["Version"]
        requires = metadata.get_all("Requires-Dist", [])
    except Exception:
        name, version, requires = None, None, []
    if not name or not version:
        stem = "?" if folder is None else folder.stem
        guess, _, number = stem.partition("-")
        problem = f"half installed, without name and version: reinstall it or remove {folder}"
        return guess, number or "?", (), problem
    if folder is not None and folder.name.startswith("~"):
        return folder.stem, version, (), f"left behind by an interrupted pip: remove {folder}"
    return name, version, () if CORE.fullmatch(name) else tuple(map(str, requires)), ""


def _load(entry: EntryPoint, record: PluginRecord, requires: Iterable[str]) -> PluginRecord:
    """Load a plugin, whatever it raises; a Ctrl-C of the user still stops, also where a plugin catches it."""
    with _user_interrupts() as interrupts, console.reserve_stdout(), naming_user(str(record)):
        try:
            _check_core_version(requires)
            record = _load_hooks(entry, record)
        except Interrupted:
            raise
        except BaseException as error:
            record = evolve(
                record,
                status="failed",
                error=describe_error(error),
                location=_locate(error, entry),
                traceback=format_traceback(error),
            )
    if interrupts:
        raise KeyboardInterrupt
    return record


@contextmanager
def _user_interrupts() -> Iterator[list[int]]:
    """Collect the signals of Ctrl-C in the block: a KeyboardInterrupt without one is the plugin's."""
    received: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield received
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _locate(error: BaseException, entry: EntryPoint) -> str:
    """Return file and line of an error: where it was raised, else of the hook that it names, or the file."""
    if location := locate_error(error, top_package(entry.module)):
        return location
    module = sys.modules.get(entry.module)
    for hook in re.findall(r"fas_\w+", str(error)):
        if (code := getattr(getattr(module, hook, None), "__code__", None)) is not None:
            return f"{code.co_filename}:{code.co_firstlineno}"
    return getattr(module, "__file__", None) or ""


def _check_core_version(requires: Iterable[str]) -> None:
    """Raise PluginError if this version of fas-core does not meet a plugin's requirement on it."""
    for text in filter(CORE.match, requires):
        from packaging.requirements import Requirement  # slow to import, and rarely needed

        requirement = Requirement(text)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and not requirement.specifier.contains(__version__, prereleases=True):
            version = requirement.specifier
            raise PluginError(f"asks for fas-core{version}, and this is {__version__}: upgrade fas-core")


def check_api_version(version: object, module: str) -> None:
    """Check that a plugin was written for this API; None for one that does not say which.

    Raises:
        PluginError: it was written for another major version or a later minor one.
    """
    if version is None:
        return
    if not isinstance(version, str) or not re.fullmatch(r"\d+\.\d+", version):
        raise PluginError(f"{module}: FAS_API {version!r} must read 'MAJOR.MINOR', e.g. {API_VERSION!r}")
    asked, own = (tuple(map(int, text.split("."))) for text in (version, API_VERSION))
    if asked[0] != own[0] or asked > own:
        older = "fas-core" if asked > own else "the plugin"
        raise PluginError(f"asks for API {version}, and this fas-core has {API_VERSION}: upgrade {older}")


def _load_hooks(entry: EntryPoint, record: PluginRecord) -> PluginRecord:
    """Import a plugin and return its record with the descriptors that its hooks yield, no name twice."""
    from fas_core import hookspecs  # slow to import, and not needed where plugins are remembered
    from fas_core.descriptors import KINDS

    plugin = entry.load()
    check_api_version(getattr(plugin, "FAS_API", None), entry.value)
    hooks = hookspecs.bind_hooks(plugin, entry.value)
    components: list[Component] = []
    for kind in KINDS.values():
        for hook in (kind.hook, *kind.former_hooks):
            for descriptors in getattr(hooks, hook)():
                components.extend(_check_descriptors(descriptors, kind))
    events = tuple(name for name in hookspecs.EVENTS if getattr(hooks, name).get_hookimpls())
    if not components and not events:
        raise PluginError(f"{entry.value} provides nothing: its hooks must yield descriptors")
    names = [(component.kind, component.name) for component in components]
    if duplicates := {name for name in names if names.count(name) > 1}:
        twice = format_list(" ".join(name) for name in sorted(duplicates))
        raise PluginError(f"{entry.value} yields twice: {twice}")
    return evolve(record, components=tuple(components), events=events, implementation=plugin)


def _check_descriptors(descriptors: Iterable[object], kind: type[Component]) -> Iterator[Component]:
    for descriptor in descriptors:
        if not isinstance(descriptor, kind):
            raise PluginError(f"{kind.hook} gave {descriptor!r}: it must yield {kind.__name__} records")
        yield descriptor


def canonical(distribution: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
