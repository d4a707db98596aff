"""What `fas plugins check` prints: a line for each component, and for each failure its rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fas_core.console import console
from fas_core.discovery import PluginRecord
from fas_core.text_table import Table

if TYPE_CHECKING:
    from fas_core.testing.installed import Checked


def show_checks(failed: Sequence[PluginRecord], checked: Sequence[Checked]) -> None:
    """Print a row for each component, then on stderr each failure, its rule, and why the rule exists."""
    counts = {status: sum(item.status == status for item in checked) for status in _statuses(checked)}
    title = ", ".join(f"{count} {status}" for status, count in counts.items())
    rows = [
        (item.component.kind, item.component.name, str(item.component.provider or ""), item.status)
        for item in checked
    ]
    if rows:
        console.table(Table(title, ("kind", "name", "from", "check"), rows, left=range(4)))
    for reason in dict.fromkeys(item.reason for item in checked if item.reason):
        console.info(f"not checked: {reason}")
    for record in failed:
        console.error(f"{record} failed: {record.failure}")
    for item in checked:
        if item.broken is not None:
            why = f"rule {item.broken.rule!r}: {item.broken.why}"
            console.error(f"{item.component}: {item.broken}", [why])


def checks_to_json(failed: Sequence[PluginRecord], checked: Sequence[Checked]) -> dict[str, Any]:
    """Return what `fas plugins check --json` prints."""
    plugins = [
        {"plugin": record.name, "distribution": record.distribution, "error": record.failure}
        for record in failed
    ]
    return {"components": [_to_json(item) for item in checked], "failed_plugins": plugins}


def _to_json(item: Checked) -> dict[str, Any]:
    component, broken = item.component, item.broken
    return {
        "kind": component.kind,
        "name": component.name,
        "distribution": component.provider.distribution if component.provider else None,
        "status": item.status,
        "reason": item.reason or None,
        "error": None if broken is None else str(broken),
        "rule": None if broken is None else broken.rule,
        "why": None if broken is None else broken.why,
    }


def _statuses(checked: Sequence[Checked]) -> list[str]:
    return list(dict.fromkeys(item.status for item in checked))
