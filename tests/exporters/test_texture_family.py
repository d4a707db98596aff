"""`texture`, `color_lbp` and `efficientnet_lite0` as ONNX and OpenVINO files: torch's scores."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from fas_core import Card, Model, ModelFile, Recipe, build_model, load_recipe
from fas_core.testing import score_images, verify_on
from fas_plugins.exporters import onnx as onnx_exporter
from fas_plugins.exporters import openvino as openvino_exporter
from fas_plugins.exporters.options import OnnxOptions, OpenVinoOptions

SIDE = 64
STATISTICS = ["mean", "deviation", "maximum", "relative_mean", "log_deviation", "histogram"]
BACKBONES: dict[str, dict[str, Any]] = {
    "texture": {"network": "efficientnet_lite0", "blocks": [0, 1], "statistics": STATISTICS},
    "color_lbp": {},
    "efficientnet_lite0": {},
}
OLDEST = {"color_lbp": 16}
"""Opsets; of other backbones it is 11."""
CASES: list[tuple[str, str, ModuleType, Any]] = [
    (name, file, exporter, options)
    for name in BACKBONES
    for file, exporter, options in (
        ("model.onnx", onnx_exporter, OnnxOptions()),
        ("oldest.onnx", onnx_exporter, OnnxOptions(opset=OLDEST.get(name, 11))),
        ("half.onnx", onnx_exporter, OnnxOptions(opset=11, form="fp16")),
        ("model.xml", openvino_exporter, OpenVinoOptions()),
    )
    if (name, file) != ("color_lbp", "half.onnx")  # its whole numbers exceed half precision
]


@pytest.fixture(scope="module")
def build(faces: Callable[..., Any]) -> Callable[[str], Model]:
    """`build(backbone)`: of random weights, normalised by the statistics of 24 images; made once."""

    @cache
    def make(backbone: str) -> Model:
        network = {"name": backbone, **BACKBONES[backbone]}
        chosen = {"backbone": network, "fusion": "single", "input_size": SIDE}
        torch.manual_seed(14)
        model = build_model(load_recipe(Recipe(), modalities=["rgb"], model=chosen))
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the mean over all batches
        model.train()({"rgb": torch.from_numpy(faces(("rgb",), 24, SIDE)["rgb"])})
        return model.eval()

    return make


@pytest.mark.parametrize(
    ("backbone", "file", "exporter", "options"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_scores_are_those_of_torch(
    build: Callable[[str], Model],
    faces: Callable[..., Any],
    make_card: Callable[..., Card],
    tmp_path: Path,
    backbone: str,
    file: str,
    exporter: ModuleType,
    options: Any,
) -> None:
    if file.endswith(".xml") and find_spec("openvino") is None:
        pytest.skip("the extra openvino is not installed")
    model, samples = build(backbone), faces(("rgb",), 4, SIDE)
    verify = verify_on(model, samples)
    path = exporter.export(options, model, samples, tmp_path / file, make_card(("rgb",), SIDE), verify).path
    images = faces(("rgb",), 7, SIDE)
    expected = score_images(model, images)
    assert np.ptp(expected) > 0.01  # random, and of the images
    tolerance = 5e-3 if file == "half.onnx" else 1e-4
    np.testing.assert_allclose(ModelFile(path)(images), expected, atol=tolerance)
    if file.endswith(".onnx"):
        assert onnx.load(path).opset_import[0].version == options.opset
