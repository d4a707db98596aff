"""What `fas plugins show` prints of a plugin or a component."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from fas_core.cli.plugin_costs import format_seconds
from fas_core.component import Component
from fas_core.config.examples import write_example
from fas_core.config.option_docs import describe_options
from fas_core.console import console
from fas_core.descriptors import Exporter
from fas_core.errors import FasError, format_list
from fas_core.failures import format_traceback
from fas_core.import_costs import measure_cost
from fas_core.package_files import Catalogue, PackageFile, RecipeFile
from fas_core.registry import PluginRecord, Registry
from fas_core.remembered_kinds import Command, Detector, Runtime
from fas_core.text_table import Table

OWN_TABLES = ("options", "example", "traceback")
"""What is printed below the table of the other entries."""


def describe_plugin(record: PluginRecord, plugins: Registry) -> dict[str, Any]:
    """Describe a plugin; it is imported in a process of its own to see how long that takes."""
    cost = None if record.status == "disabled" else measure_cost(record, plugins.records)
    packages = f", and imports {format_list(cost.packages)}" if cost and cost.packages else ""
    return {
        "plugin": record.name,
        "distribution": record.distribution,
        "version": record.version,
        "module": record.module,
        "status": record.status,
        "error": record.error or None,
        "location": record.location or None,
        "import_time": cost and f"{format_seconds(cost)}{packages}",
        "components": [f"{item.kind} {item.name}" for item in record.components],
        "events": list(record.events),
        "traceback": record.traceback or None,
    }


def describe_component(item: Component, plugins: Registry) -> dict[str, Any]:
    """Describe a component, and load it to see whether that works."""
    error = traceback = None
    try:
        item.load()
    except FasError as failure:
        error, traceback = failure.message, format_traceback(failure)
    has_options = not isinstance(item, Command | PackageFile)
    return {
        "kind": item.kind,
        "name": item.name,
        "distribution": item.provider.distribution if item.provider else None,
        "version": item.provider.version if item.provider else None,
        "summary": item.summary,
        "source": item.source,
        "target": item.target,
        "status": "failed" if error else "active",
        "error": error,
        "options": [asdict(option) for option in describe_options(item, plugins)] if has_options else [],
        "example": _write_use(item, plugins),
        "traceback": traceback,
    }


def _write_use(item: Component, plugins: Registry) -> str:
    """Return how the component is used: a recipe, or a command."""
    name = plugins.name_of(item)
    match item:
        case Command():
            return f"fas {name}"
        case Exporter():
            return f"fas export RUN --format {name}"
        case Catalogue():
            return "fas models list --public"
        case RecipeFile():
            return f"fas train {name}"
        case Detector():
            return f"fas predict MODEL PHOTO --detect --detector {name}"
        case Runtime():
            return f"fas predict model{item.suffixes[0]} PHOTO"
    return write_example(item, plugins)


def show_details(document: dict[str, Any]) -> None:
    """Print what `describe_plugin` or `describe_component` returns."""
    entries = {key: value for key, value in document.items() if value and key not in OWN_TABLES}
    rows = [(key.replace("_", " "), _format(value)) for key, value in entries.items()]
    console.table(Table("", ("", ""), rows, left=(0, 1)))
    if options := document.get("options"):
        columns = ("option", "type", "default", "rule", "meaning")
        cells = [tuple(option.values()) for option in options]
        console.table(Table("options", columns, cells, left=range(5)))
    if example := document.get("example"):
        console.lines(f"\nexample:\n{example}")
    if traceback := document.get("traceback"):
        console.lines(f"\n{traceback}")


def _format(value: object) -> str:
    """Format an entry of a document in one cell."""
    return ", ".join(value) if isinstance(value, list) else str(value)
