"""The real onnxruntime-web in Chromium: scores of photos and of the webcam beside those of `fas predict`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from fixtures.browsers import CHROMIUM, MISSING
from fixtures.web_pages import SCORE, Site, open_browser, read_seen, show_photos

from fas_core import FasError
from fas_core.data.images import read_image, write_image
from fas_core.runtime import ModelFile, Predictor
from fas_plugins.exporters.web.runtime_files import get_runtime_files

pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason=MISSING)]

EXACT = 1e-5
"""Largest |difference| of scores for the same pixels, in fp32."""

CLOSE = 2e-3
"""For photos that are enlarged, where few pixels differ by a level; and for the same pixels in int8."""


@pytest.fixture(scope="module", autouse=True)
def _real_runtime(tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        get_runtime_files(None)
    except FasError as error:
        pytest.skip(f"onnxruntime-web is not at hand: {error}")


@pytest.fixture(scope="module")
def folders(trained: Path, faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the exported pages `model` and `model.int8`, of 64 pixels."""
    from click.testing import CliRunner

    from fas_core.cli import main

    folder = tmp_path_factory.mktemp("pages")
    command = ["export", str(trained), "--format", "web", "--fp32", "--int8", "-o", str(folder), "-q"]
    result = CliRunner().invoke(main, [*command, "--set", "acer_loss=1", "--samples", "24"])
    assert result.exit_code == 0, result.output
    return folder
