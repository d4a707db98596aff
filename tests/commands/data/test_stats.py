"""Channel statistics against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fas_core import DataError
from fas_core.records.model_input import Resize
from fas_core.records.samples import SampleTable
from fas_plugins.commands.data.stats import measure_channels

Make = Callable[..., SampleTable]
WHOLE = Resize(crop=1.0)


def test_statistics_are_numpys(tmp_path: Path, save: Callable[..., Path]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    pixels[..., 1] //= 3
    names = [save(tmp_path / f"{row}.png", image).name for row, image in enumerate(pixels)]
    samples = SampleTable.of({"id": names, "rgb": names}, modalities=("rgb",), root=tmp_path)
    found = measure_channels(samples, ("rgb",), 32, WHOLE, workers=2)["rgb"]
    np.testing.assert_allclose(found.mean, (pixels / 255).mean(axis=(0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(found.std, (pixels / 255).std(axis=(0, 1, 2)), atol=1e-4)


def test_each_modality_has_its_own(make_samples: Make) -> None:
    found = measure_channels(make_samples(5, ("rgb", "ir")), ("rgb", "ir"), 16, WHOLE, workers=0)
    levels = np.arange(0, 50, 10)
    assert found["rgb"].mean == pytest.approx([levels.mean() / 255] * 3, abs=1e-4)
    assert found["ir"].mean == pytest.approx([(levels + 1).mean() / 255] * 3, abs=1e-4)
    assert found["ir"].std == pytest.approx([levels.std() / 255] * 3, abs=1e-4)


def test_a_channel_without_variation_and_an_empty_table_are_refused(make_samples: Make) -> None:
    samples = make_samples(1)
    with pytest.raises(DataError, match="a channel of rgb is the same in all pixels"):
        measure_channels(samples, ("rgb",), 16, WHOLE, workers=0)
    with pytest.raises(DataError, match="no samples to measure"):
        measure_channels(samples.take([]), ("rgb",), 16, WHOLE, workers=0)
