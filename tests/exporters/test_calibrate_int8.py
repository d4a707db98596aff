"""`fas calibrate` of an int8 file: the threshold is set, and the quantized network stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from click.testing import Result

from fas_core import ModelFile
from fas_core.testing import verify_on
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters.options import OnnxOptions

SIDE = 16
PEOPLE, PHOTOS = 3, 4


def test_an_int8_file_is_calibrated(
    make_model: Any, make_card: Any, faces: Any, fas: Callable[..., Result], tmp_path: Path
) -> None:
    model, images = make_model(), faces(("rgb",), 12)
    verify = verify_on(model, images)
    options, card = OnnxOptions(form="int8"), make_card()
    path = exporter.export(options, model, images, tmp_path / "model.int8.onnx", card, verify).path
    site = faces(("rgb",), PEOPLE * PHOTOS, SIDE)["rgb"]
    for number, pixels in enumerate(site):
        folder = tmp_path / "site" / f"person {number % PEOPLE}"
        folder.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / f"{number}.png"), pixels[..., ::-1])
    before, graph = ModelFile(path)({"rgb": site}), onnx.load(path).graph
    kinds = {node.op_type for node in graph.node}
    assert "QuantizeLinear" in kinds

    result = fas("calibrate", path, tmp_path / "site", "--no-detect", "--json")

    assert result.exit_code == 0, result.output
    opened = ModelFile(path)
    threshold = opened.card.threshold
    assert threshold is not None
    assert (threshold.policy, opened.card.calibration.people) == ("calibrated:0.05", PEOPLE)  # type: ignore[union-attr]
    np.testing.assert_array_equal(opened({"rgb": site}), before)
    assert onnx.load(path).graph == graph
    predicted = json.loads(fas("predict", path, tmp_path / "site", "--no-detect", "--json").stdout)
    assert predicted["threshold"]["value"] == pytest.approx(threshold.value)
    assert fas("calibrate", "--undo", path).exit_code == 0
    assert ModelFile(path).card.threshold == card.threshold
