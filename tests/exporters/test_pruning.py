"""Pruned graphs: redundant channels are removed, and the layers after them are fitted anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from fas_core import Model, ModelError, ModelFile
from fas_core.contracts import Scorer, Verification
from fas_core.testing import score_images, verify_on
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters import pruning
from fas_plugins.exporters.channel_selection import STEP
from fas_plugins.exporters.options import OnnxOptions

PRUNED = OnnxOptions(form="pruned", tolerance=1)


class Residual(nn.Module):
    """Two residual blocks whose hidden channels all occur twice."""

    num_features, embedding_dim, num_logits, reduction = 8, 8, 2, 2

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(inplace=True))
        self.blocks = nn.ModuleList(self._block() for _ in range(2))
        self.head = nn.Linear(8, 2)

    @staticmethod
    def _block() -> nn.Sequential:
        expand, alone = nn.Conv2d(8, 32, 1), nn.Conv2d(32, 32, 3, 1, 1, groups=32)
        with torch.no_grad():
            for conv in (expand, alone):
                for values in (conv.weight, conv.bias):
                    assert values is not None
                    values[16:] = values[:16]
        return nn.Sequential(expand, nn.ReLU6(), alone, nn.ReLU6(), nn.Conv2d(32, 8, 1))

    def forward_features(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return x

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x)
        return logits


@pytest.fixture
def residual(make_model: Callable[..., Model]) -> Model:
    return make_model(backbone=Residual)


def widths(path: Path) -> list[int]:
    """Return the channel counts of the depth-wise convolutions."""
    graph = onnx.load(path).graph
    stored = {tensor.name: tensor.dims for tensor in graph.initializer}
    shapes = [stored[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    return [shape[0] for shape in shapes if shape[1] == 1]


def test_duplicate_channels_are_removed_without_loss(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "PRICES", (1.0,))
    images, path = faces(("rgb",), 64), tmp_path / "model.onnx"
    done = exporter.export(PRUNED, residual, images, path, make_card(), verify_on(residual, images))
    assert widths(path) == [16, 16]
    assert done.facts["hidden channels"] == f"{sum(widths(path))} of 64"
    assert done.verification.max_difference < 0.01
    others = faces(("rgb",), 65)
    np.testing.assert_allclose(ModelFile(path)(others), score_images(residual, others), atol=0.01)


def test_fitting_the_readers_halves_the_difference(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = faces(("rgb",), 64)

    def difference(path: Path) -> float:
        done = exporter.export(PRUNED, residual, images, path, make_card(), verify_on(residual, images))
        assert widths(path) == [STEP, STEP]
        return done.verification.mean_difference

    monkeypatch.setattr(pruning, "PRICES", (1e9,))
    fitted = difference(tmp_path / "fitted.onnx")
    monkeypatch.setattr(pruning, "set_reader_weights", lambda *_: None)
    assert fitted < 0.5 * difference(tmp_path / "unfitted.onnx")


def test_milder_ones_are_tried_where_one_is_refused(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    images, path = faces(("rgb",), 16), tmp_path / "model.onnx"
    tried: list[int] = []

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        assert tolerance == 1
        tried.append(sum(widths(next(tmp_path.glob("**/*.onnx")))))
        if len(tried) < 3:
            raise ModelError("not yet")
        return Verification(16, "dev", 0.0, 0.0)

    done = exporter.export(PRUNED, residual, images, path, make_card(), verify)
    assert tried == sorted(tried)
    assert done.facts["hidden channels"] == f"{tried[-1]} of 64"
    assert sum(widths(path)) == tried[-1]


def test_the_last_refusal_is_the_answer(residual: Model, faces: Any, make_card: Any, tmp_path: Path) -> None:
    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        raise ModelError("never")

    with pytest.raises(ModelError, match="never"):
        exporter.export(PRUNED, residual, faces(("rgb",), 8), tmp_path / "model.onnx", make_card(), verify)
    assert not list(tmp_path.iterdir())


def test_milder_variants_are_tried_until_one_passes(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    images, path = faces(("rgb",), 16), tmp_path / "model.onnx"
    tried: list[int] = []

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        assert tolerance == 1
        tried.append(sum(widths(next(tmp_path.glob("**/*.onnx")))))
        if len(tried) < 3:
            raise ModelError("not yet")
        return Verification(16, "dev", 0.0, 0.0)

    done = exporter.export(PRUNED, residual, images, path, make_card(), verify)
    assert tried == sorted(tried)
    assert done.facts["hidden channels"] == f"{tried[-1]} of 64"
    assert sum(widths(path)) == tried[-1]


def test_the_last_error_is_raised_when_none_passes(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        raise ModelError("never")

    with pytest.raises(ModelError, match="never"):
        exporter.export(PRUNED, residual, faces(("rgb",), 8), tmp_path / "model.onnx", make_card(), verify)
    assert not list(tmp_path.iterdir())


def test_the_same_samples_give_the_same_file(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    images = faces(("rgb",), 16)
    paths = [tmp_path / name for name in ("one.onnx", "two.onnx")]
    for path in paths:
        exporter.export(PRUNED, residual, images, path, make_card(), verify_on(residual, images))
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("partial", [True, False])
def test_two_modalities(
    partial: bool, make_model: Callable[..., Model], faces: Any, make_card: Any, tmp_path: Path
) -> None:
    names = ("rgb", "ir")
    model, images = make_model(names, Residual, partial=partial), faces(names, 32)
    path, card = tmp_path / "model.onnx", make_card(names, partial=partial)
    done = exporter.export(PRUNED, model, images, path, card, verify_on(model, images))
    assert len(widths(path)) == 4
    assert done.verification.max_difference < 0.1
    assert ModelFile(path).card == card


def test_constant_images(residual: Model, make_card: Any, tmp_path: Path) -> None:
    images = {"rgb": np.full((4, 16, 16, 3), 7, np.uint8)}
    path = tmp_path / "model.onnx"
    exporter.export(PRUNED, residual, images, path, make_card(), verify_on(residual, images))
    assert np.isfinite(ModelFile(path)(images)).all()
