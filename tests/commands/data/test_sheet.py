"""The contact sheet: which sample is where, and what stays white."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fas_core import DataError
from fas_core.records.samples import SampleTable
from fas_plugins.commands.data.sheet import GAP, HEAD, TILE, draw_contact_sheet

Make = Callable[..., SampleTable]


def test_a_contact_sheet_has_a_row_for_each_species(make_samples: Make) -> None:
    species = [None, "print", None, "replay", None, "print"]
    samples = make_samples(6, ("rgb", "ir"), label=[1, 0, 1, 0, None, 0], species=species)
    sheet = draw_contact_sheet(samples, ("rgb", "ir"), 3)
    assert sheet.shape[0] == HEAD + 4 * (TILE + GAP)  # live, print, replay, unknown
    assert sheet.shape[1] > 3 * 2 * TILE
    first_live = sheet[HEAD : HEAD + TILE, -3 * (2 * (TILE + GAP) + GAP) :][:, :TILE]
    assert (first_live == 0).all()
    last_print_ir = sheet[HEAD + TILE + GAP :][:TILE, -2 * (2 * (TILE + GAP) + GAP) :][
        :, TILE + GAP : 2 * TILE + GAP
    ]
    assert (last_print_ir == 51).all()


def test_a_sheet_leaves_absent_modalities_white(make_samples: Make) -> None:
    samples = make_samples(2, ("rgb", "ir"))
    table = samples.table.set_column(samples.table.column_names.index("ir"), "ir", [["ir/0.png", None]])
    sheet = draw_contact_sheet(SampleTable(table, samples.modalities, samples.root), ("rgb", "ir"), 1)
    live_ir = sheet[HEAD : HEAD + TILE, -TILE - 2 * GAP : -2 * GAP]
    attack_ir = sheet[HEAD + TILE + GAP :][:TILE, -TILE - 2 * GAP : -2 * GAP]
    assert (live_ir == 255).all()
    assert (attack_ir == 1).all()
    with pytest.raises(DataError, match="no samples to show"):
        draw_contact_sheet(samples.take([]), ("rgb",), 1)
