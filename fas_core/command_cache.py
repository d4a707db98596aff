"""The commands, runtimes and detectors of the installed plugins, remembered between calls.

`fas --help` need not import the plugins, nor need `fas predict` to open a model file and find a face.

What is remembered is used only while nothing has changed that it was made from: the folders that Python
searches, the distributions in them, and every file that was imported to find the commands. A file that is
missing or damaged, or that cannot be written, costs time and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from attrs import fields

from fas_core.component import Component, NoOptions
from fas_core.discovery import PluginRecord
from fas_core.errors import FasError
from fas_core.registry import Registry, disabled_plugins, registry
from fas_core.remembered_kinds import Command, Detector, Runtime
from fas_core.user_paths import cache_folder

NO_CACHE = "FAS_NO_COMMAND_CACHE"
"""Environment variable: where it is set, `fas` imports every plugin for every command."""

SETTLED = 2.0
"""Seconds since the last change of a file. Until then another change may have the same time stamp: some
clocks of file systems are that coarse."""

DISTRIBUTIONS = (".dist-info", ".egg-info")
METADATA = ("entry_points.txt", "METADATA", "PKG-INFO")
RECORD = ("name", "distribution", "version", "status", "module")
"""What is stored of a plugin besides its components."""
KINDS: dict[str, type[Component]] = {kind.kind: kind for kind in (Command, Runtime, Detector)}
"""The kinds of components that are remembered."""

Stamp = list[int] | None
"""Time of the last change, in nanoseconds, and size in bytes; None for a file that does not exist."""


def command_registry() -> Registry:
    """Return the installed plugins with their commands, runtimes and detectors; the rest may be left out."""
    if os.environ.get(NO_CACHE) or _has_other_finders():
        return registry()
    return _build_command_registry(disabled_plugins())


def forget_commands() -> None:
    """Have `command_registry` look for changes again."""
    _build_command_registry.cache_clear()


@cache
def _build_command_registry(disabled: frozenset[str]) -> Registry:
    file, search = _locate_cache(disabled), _describe_search()
    if (records := _read(file, search)) is not None:
        return Registry(records)
    imported = set(sys.modules)
    plugins = registry()
    # A plugin that failed may work next time; one that was imported before may have changed in the meantime.
    if all(item.status != "failed" and item.module not in imported for item in plugins.records):
        _write(file, search, plugins.records)
    return plugins


def _locate_cache(disabled: frozenset[str]) -> Path:
    """Return the file for this environment of Python and these disabled plugins."""
    key = json.dumps([sys.prefix, sys.version, sorted(disabled)])
    return cache_folder() / f"commands-{sha256(key.encode()).hexdigest()[:16]}.json"


def _describe_search() -> list[Any]:
    """Return what decides which plugins there are: the folders that Python searches, and what is in them.

    `importlib.metadata` finds the same distributions, and takes several times as long.
    """
    folders = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100 - "" is the current folder
    return [folders, [stamp for folder in folders for stamp in _describe_folder(folder)]]


def _describe_folder(folder: str) -> Iterator[list[Any]]:
    """Yield the distributions of a folder with their stamps; of an archive its own."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - as `_stamp`
    except OSError:
        yield [folder, _stamp(folder)]
        return
    for name in sorted(names):
        if name.lower().endswith(DISTRIBUTIONS):
            path = f"{folder}/{name}"
            yield [path, _stamp(path), *(_stamp(f"{path}/{file}") for file in METADATA)]


def _has_other_finders() -> bool:
    """Whether distributions may be elsewhere than in the folders that Python searches."""
    return any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder)


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116 - several hundred files, for each command
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_size]


def _read(file: Path, search: list[Any]) -> tuple[PluginRecord, ...] | None:
    """Return the plugins that are remembered; None if there are none, or something has changed."""
    try:
        if not file.is_file():
            return None
        stored = json.loads(file.read_bytes())
        if stored["search"] != search or any(_stamp(path) != stamp for path, stamp in stored["files"]):
            return None
        return tuple(_to_record(item) for item in stored["plugins"])
    except Exception:  # whatever is in the file, it is written anew
        return None


def _write(file: Path, search: list[Any], records: Sequence[PluginRecord]) -> None:
    """Remember the plugins, unless a file changed a moment ago or a component is more than its record."""
    from fas_core.atomic import replacing  # slow to import, and rarely needed

    remembered = [item for record in records for item in _select(record)]
    modules = [item for item in list(sys.modules.values()) if isinstance(item, ModuleType)]
    paths = sorted({path for item in modules if isinstance(path := vars(item).get("__file__"), str)})
    files = [[path, _stamp(path)] for path in paths]
    stamps = [stamp for _, *stamps in (*files, *search[1]) for stamp in stamps if stamp is not None]
    settled = max(changed for changed, _ in stamps) < (time.time() - SETTLED) * 1e9
    if not settled or any(
        type(item) not in KINDS.values() or item.options is not NoOptions for item in remembered
    ):
        return
    text = json.dumps({"search": search, "files": files, "plugins": list(map(_to_plain, records))})
    with suppress(FasError, OSError), replacing(file, durable=False) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _select(record: PluginRecord) -> list[Component]:
    return [item for item in record.components if isinstance(item, tuple(KINDS.values()))]


def _to_plain(record: PluginRecord) -> dict[str, Any]:
    plain = {name: getattr(record, name) for name in RECORD}
    return plain | {"components": [_component_to_plain(item) for item in _select(record)]}


def _component_to_plain(component: Component) -> dict[str, Any]:
    names = [item.name for item in fields(type(component)) if item.name not in ("options", "provider")]
    return {"kind": component.kind, **{name: getattr(component, name) for name in names}}


def _to_record(plain: Mapping[str, Any]) -> PluginRecord:
    components = tuple(map(_to_component, plain["components"]))
    return PluginRecord(**{name: plain[name] for name in RECORD}, components=components)


def _to_component(plain: Mapping[str, Any]) -> Component:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
    }
    return KINDS[values.pop("kind")](**values)
