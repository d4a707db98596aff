"""`fas plugins list`: what is installed, what it provides, and what could not be loaded."""

from __future__ import annotations

from typing import Any

import rich_click as click

from fas_core.cli.options.output import output_options
from fas_core.console import Table, console
from fas_core.descriptors import KINDS
from fas_core.registry import PluginRecord, registry


@click.group()
def command() -> None:
    """Look at what is installed."""


@command.command("list")
@click.option("--kind", type=click.Choice(list(KINDS)), help="Only one kind.")
@output_options
def list_plugins(kind: str | None) -> None:
    """Every component with its provider, and every plugin that is disabled or failed."""
    found = registry()
    rows = [row for record in found.records for row in _rows(record) if kind in (None, row["kind"])]
    rows.sort(key=lambda row: (row["kind"] or "~", row["name"]))
    if console.json:
        console.document({"plugins": rows, "clashes": found.clashes()})
        return
    console.table(
        Table(
            f"{sum(row['kind'] in KINDS for row in rows)} components",
            ("kind", "name", "from", "status", "summary"),
            [(row["kind"], row["name"], _origin(row), row["status"], row["summary"]) for row in rows],
            left=range(5),
        )
    )
    for row in rows:
        if row["status"] == "failed":
            console.warn(f"plugin {row['name']!r} of {_origin(row)} failed: {row['error']}")
    for line in found.clashes():
        console.warn(line)


def _rows(record: PluginRecord) -> list[dict[str, Any]]:
    """One row a component; a plugin that provides nothing is a row of its own, of kind `plugin`."""
    origin = {"distribution": record.distribution, "version": record.version, "plugin": record.name}
    if record.status != "active":
        return [
            {
                "kind": "plugin",
                "name": record.name,
                **origin,
                "status": record.status,
                "summary": record.error,
                "source": "",
                "error": record.error or None,
            }
        ]
    return [
        {
            "kind": item.kind,
            "name": item.name,
            **origin,
            "status": record.status,
            "summary": item.summary,
            "source": item.source,
            "error": None,
        }
        for item in record.components
    ]


def _origin(row: dict[str, Any]) -> str:
    return f"{row['distribution']} {row['version']}"
