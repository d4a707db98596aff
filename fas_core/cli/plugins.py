"""`fas plugins list`: the installed plugins, their components, and the plugins that failed."""

from __future__ import annotations

from typing import Any

import rich_click as click

from fas_core.cli.options import output_options
from fas_core.console import Table, console
from fas_core.descriptors import KINDS
from fas_core.registry import PluginRecord, registry


@click.group()
def command() -> None:
    """List the installed plugins."""


@command.command("list")
@click.option("--kind", type=click.Choice(list(KINDS)), help="List components of this kind only.")
@output_options
def list_plugins(kind: str | None) -> None:
    """List every component with its plugin, and every plugin that is disabled or failed."""
    plugins = registry()
    rows = [row for record in plugins.records for row in _build_rows(record) if kind in (None, row["kind"])]
    rows.sort(key=lambda row: (row["kind"] or "~", row["name"]))
    if console.json:
        console.document({"plugins": rows, "clashes": plugins.clashes()})
        return
    title = f"{sum(row['kind'] in KINDS for row in rows)} components"
    columns = ("kind", "name", "from", "status", "summary")
    cells = [(row["kind"], row["name"], _distribution(row), row["status"], row["summary"]) for row in rows]
    console.table(Table(title, columns, cells, left=range(5)))
    for row in rows:
        if row["status"] == "failed":
            console.warn(f"plugin {row['name']!r} of {_distribution(row)} failed: {row['error']}")
    for line in plugins.clashes():
        console.warn(line)


def _build_rows(record: PluginRecord) -> list[dict[str, Any]]:
    """Return a row for each component, or for a plugin that is not active one row of kind `plugin`."""
    distribution = {"distribution": record.distribution, "version": record.version, "plugin": record.name}
    if record.status != "active":
        plugin = {"kind": "plugin", "name": record.name, **distribution, "status": record.status}
        return [{**plugin, "summary": record.error, "source": "", "error": record.error or None}]
    return [
        {"kind": item.kind, "name": item.name, **distribution, "status": record.status}
        | {"summary": item.summary, "source": item.source, "error": None}
        for item in record.components
    ]


def _distribution(row: dict[str, Any]) -> str:
    return f"{row['distribution']} {row['version']}"
