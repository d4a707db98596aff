from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fas_core import DataError
from fas_core.records.model_input import Resize
from fas_core.records.samples import SampleTable
from fas_plugins.commands.data.sheet import GAP, HEAD, TILE, contact_sheet
from fas_plugins.commands.data.stats import channel_statistics

Make = Callable[..., SampleTable]
WHOLE = Resize(crop=1.0)


def test_statistics_are_numpys(tmp_path: Path, save: Callable[..., Path]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    pixels[..., 1] //= 3
    names = [save(tmp_path / f"{row}.png", image).name for row, image in enumerate(pixels)]
    samples = SampleTable.of({"id": names, "rgb": names}, modalities=("rgb",), root=tmp_path)
    found = channel_statistics(samples, ("rgb",), 32, WHOLE, workers=2)["rgb"]
    np.testing.assert_allclose(found.mean, (pixels / 255).mean(axis=(0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(found.std, (pixels / 255).std(axis=(0, 1, 2)), atol=1e-4)


def test_each_modality_has_its_own(make_samples: Make) -> None:
    found = channel_statistics(make_samples(5, ("rgb", "ir")), ("rgb", "ir"), 16, WHOLE, workers=0)
    levels = np.arange(0, 50, 10)
    assert found["rgb"].mean == pytest.approx([levels.mean() / 255] * 3, abs=1e-4)
    assert found["ir"].mean == pytest.approx([(levels + 1).mean() / 255] * 3, abs=1e-4)
    assert found["ir"].std == pytest.approx([levels.std() / 255] * 3, abs=1e-4)


def test_a_channel_without_variation_and_an_empty_table_are_refused(make_samples: Make) -> None:
    samples = make_samples(1)
    with pytest.raises(DataError, match="a channel of rgb is the same in all pixels"):
        channel_statistics(samples, ("rgb",), 16, WHOLE, workers=0)
    with pytest.raises(DataError, match="no samples to measure"):
        channel_statistics(samples.take([]), ("rgb",), 16, WHOLE, workers=0)


def test_a_contact_sheet_has_a_row_for_each_species(make_samples: Make) -> None:
    species = [None, "print", None, "replay", None, "print"]
    samples = make_samples(6, ("rgb", "ir"), label=[1, 0, 1, 0, None, 0], species=species)
    sheet = contact_sheet(samples, ("rgb", "ir"), 3)
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
    sheet = contact_sheet(SampleTable(table, samples.modalities, samples.root), ("rgb", "ir"), 1)
    live_ir = sheet[HEAD : HEAD + TILE, -TILE - 2 * GAP : -2 * GAP]
    attack_ir = sheet[HEAD + TILE + GAP :][:TILE, -TILE - 2 * GAP : -2 * GAP]
    assert (live_ir == 255).all()
    assert (attack_ir == 1).all()
    with pytest.raises(DataError, match="no samples to show"):
        contact_sheet(samples.take([]), ("rgb",), 1)
