"""The list of networks as tables."""

from __future__ import annotations

from typing import Any

from fas_plugins.commands.models.tables import network_tables

NUMBERS = {"params": 350_000, "cost": 80_000_000, "macs": 79_000_000, "input_size": 224}


def row(kind: str, name: str, **columns: Any) -> dict[str, Any]:
    defaults = {"features": [64, 7, 7] if kind == "backbone" else None, "takes": None, "source": None}
    return {**NUMBERS, "kind": kind, "error": None, "name": name, **defaults, **columns}


def test_sources_are_numbered_below_the_last_table() -> None:
    rows = [
        row("backbone", "a", source="First (2019)"),
        row("backbone", "b"),
        row("fusion", "c", takes="maps", source="Second (2020)"),
        row("fusion", "d", takes="logits", source="First (2019)"),
    ]
    backbones, fusions = network_tables(rows, ("rgb", "ir"))
    assert [cells[-1] for cells in backbones.rows] == ["[1]", ""]
    assert [cells[-1] for cells in fusions.rows] == ["[2]", "[1]"]
    assert backbones.note == ""
    assert fusions.note.startswith("[1] First (2019)\n[2] Second (2020)\n")
    assert backbones.rows[0][:6] == ("a", "0.35", "80.00", "79.00", "224", "64x7x7")
    assert fusions.rows[0][5] == "maps"
    assert "rgb, ir (single: rgb)" in fusions.title


def test_one_kind_is_one_table() -> None:
    (table,) = network_tables([row("fusion", "c", takes="maps")], ("rgb", "ir"))
    assert table.title.startswith("1 fusions")
