"""What `fas plugins list --timing` prints: how long each plugin takes to import, and what it imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fas_core.console import console
from fas_core.discovery import PluginRecord
from fas_core.errors import format_list
from fas_core.import_costs import ImportCost, measure_cost
from fas_core.text_table import Table

Costs = Sequence[tuple[PluginRecord, ImportCost]]

ADVICE = "import what is heavy in the modules of its components, not in that of its hooks"


def measure_costs(records: Sequence[PluginRecord]) -> Costs:
    """Import the plugins that are not disabled one after the other, each in a process of its own."""
    imported = [record for record in records if record.status != "disabled"]
    costs = []
    with console.progress("importing", len(imported), "plugins") as bar:
        for record in imported:
            costs.append((record, measure_cost(record, records)))
            bar.advance()
    return costs


def show_costs(costs: Costs) -> None:
    """Print a row for each plugin, the slowest first, and a warning for each that slows `fas` down."""
    slowest_first = sorted(costs, key=lambda item: -(item[1].seconds or 0))
    columns = ("plugin", "from", "import time", "modules", "packages beside its own")
    rows = [
        (
            record.name,
            str(record.provider),
            format_seconds(cost),
            str(cost.modules),
            format_list(cost.packages),
        )
        for record, cost in slowest_first
    ]
    console.table(Table("import times", columns, rows, left=(0, 1, 4)))
    for record, cost in slowest_first:
        if cost.is_high:
            console.warn(f"{record} {_describe_problem(cost)}")


def _describe_problem(cost: ImportCost) -> str:
    if cost.seconds is None:
        return "ends the process that imports it"
    imports = f" and imports {format_list(cost.packages)}" if cost.packages else ""
    return f"takes {format_seconds(cost)} to import{imports}: {ADVICE}"


def format_seconds(cost: ImportCost) -> str:
    """Return e.g. `12 ms`; a dash where the process died."""
    return "-" if cost.seconds is None else f"{cost.seconds * 1e3:.0f} ms"


def costs_to_json(costs: Costs) -> list[dict[str, Any]]:
    """Return what `fas plugins list --timing --json` adds."""
    return [
        {
            "plugin": record.name,
            "distribution": record.distribution,
            "version": record.version,
            "seconds": cost.seconds,
            "modules": cost.modules,
            "packages": list(cost.packages),
            "slow": cost.is_high,
        }
        for record, cost in costs
    ]
