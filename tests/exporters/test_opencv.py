"""What OpenCV's DNN module reads: exported files, run by it and by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from fas_core import Card, Model, Recipe, build_model, load_recipe
from fas_core.testing import verify_on
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters.options import OnnxOptions

MODALITIES = ("rgb", "depth", "ir")
Arrays = dict[str, Any]


def run_opencv(path: Path, images: Arrays, names: list[str]) -> Arrays:
    net = cv2.dnn.readNetFromONNX(str(path))
    for name, values in images.items():
        net.setInput(values, name)
    return dict(zip(names, net.forward(names), strict=True))


def compare_engines(path: Path, images: Arrays, counts: tuple[int, ...] = (1, 3)) -> None:
    """Compare all outputs of OpenCV and onnxruntime on the first images, as one batch."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    for count in counts:
        batch = {name: values[:count] for name, values in images.items()}
        expected = dict(zip(names, session.run(names, batch), strict=True))
        actual = run_opencv(path, batch, names)
        for name in names:
            # Logits of an untrained network of a hundred layers are large, and rounding grows with them.
            tolerance = 1e-4 if name == "score" else 1e-3 * max(1.0, float(np.abs(expected[name]).max()))
            np.testing.assert_allclose(actual[name].ravel(), expected[name].ravel(), atol=tolerance)


@pytest.fixture(scope="module")
def export(
    make_card: Callable[..., Card], faces: Callable[..., Arrays], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Path, Arrays]]:
    """`export(model, side, **options)`: the written file, and images for it."""

    def run(model: Model, side: int, **options: Any) -> tuple[Path, Arrays]:
        images = faces(model.modalities, 6, side)
        path = tmp_path_factory.mktemp("opencv") / "model.onnx"
        card = make_card(model.modalities, side, model.partial)
        exporter.export(OnnxOptions(**options), model, images, path, card, verify_on(model, images))
        return path, images

    return run


def build(backbone: str, side: int, fusion: str = "single", modalities: tuple[str, ...] = ("rgb",)) -> Model:
    """Return a network of a recipe whose batch norms have the statistics of noise."""
    torch.manual_seed(14)
    chosen = {"backbone": backbone, "fusion": fusion, "input_size": side}
    model = build_model(load_recipe(Recipe(), modalities=modalities, model=chosen))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    pixels = torch.randint(0, 256, (8, side, side, 3), dtype=torch.uint8)
    with torch.no_grad():
        model.train()(dict.fromkeys(modalities, pixels))
    return model.eval()


@pytest.mark.parametrize(
    ("backbone", "side"),
    [
        ("feathernet_a", 32),
        ("feathernet_b", 32),
        ("mobilenetv2", 32),
        ("mobilelitenet54_se", 128),
        ("cdcn", 32),
        ("cdcnpp", 32),
        ("fishnet99", 64),
    ],
)
def test_opencv_reads_every_kind_of_backbone(
    backbone: str, side: int, export: Callable[..., tuple[Path, Arrays]]
) -> None:
    compare_engines(*export(build(backbone, side), side))


@pytest.mark.parametrize("options", [{"opset": 11}, {"static_batch": 1}])
def test_opencv_reads_other_opsets_and_static_batches(
    options: Arrays, export: Callable[..., tuple[Path, Arrays]]
) -> None:
    compare_engines(*export(build("feathernet_b", 32), 32, **options), counts=(1,))


@pytest.mark.parametrize("fusion", ["concat_linear", "score_mean", "se_fusion", "cdcn", "pipenet"])
def test_opencv_reads_every_fusion_of_three_modalities(
    fusion: str, make_model: Callable[..., Model], export: Callable[..., tuple[Path, Arrays]]
) -> None:
    compare_engines(*export(make_model(MODALITIES, joined=fusion), 16))


def test_opencv_reads_stacked_inputs(export: Callable[..., tuple[Path, Arrays]]) -> None:
    compare_engines(*export(build("feathernet_a", 32, "input_concat", MODALITIES), 32))


@pytest.mark.parametrize("fusion", ["concat_linear", "score_mean"])
def test_opencv_takes_presence_as_bytes(
    fusion: str, make_model: Callable[..., Model], export: Callable[..., tuple[Path, Arrays]]
) -> None:
    path, images = export(make_model(MODALITIES, joined=fusion, partial=True), 16)
    presence = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0]], np.bool_)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    batch = {name: values[:3] for name, values in images.items()}
    (expected,) = session.run(["score"], {**batch, "presence": presence})
    actual = run_opencv(path, {**batch, "presence": presence.astype(np.uint8)}, ["score"])
    np.testing.assert_allclose(actual["score"].ravel(), expected, atol=1e-5)


def test_opencv_reads_patches(
    make_model: Callable[..., Model], export: Callable[..., tuple[Path, Arrays]]
) -> None:
    compare_engines(*export(make_model(grid=2), 16))


def test_opencv_reads_half_precision(export: Callable[..., tuple[Path, Arrays]]) -> None:
    path, images = export(build("feathernet_b", 32), 32, form="fp16")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (expected,) = session.run(["score"], images)
    np.testing.assert_allclose(run_opencv(path, images, ["score"])["score"].ravel(), expected, atol=1e-2)
