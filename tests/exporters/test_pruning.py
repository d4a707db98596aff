"""Fewer hidden channels: which may go, which do go, and that what reads them makes up for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir
from torch import Tensor, nn

from fas_core import DataError, ModelError
from fas_core.contracts import Scorer, Verification
from fas_core.models.model import Model, scorer
from fas_core.runtime import ModelFile
from fas_core.testing.checks import verify_on
from fas_plugins.exporters import onnx as exporter
from fas_plugins.exporters import pruning
from fas_plugins.exporters.forms import write_as
from fas_plugins.exporters.hidden import hidden_channels
from fas_plugins.exporters.options import OnnxOptions
from fas_plugins.exporters.pruning import STEP, Problem, chosen

PRUNED = OnnxOptions(form="pruned", tolerance=1)


def problem(given: NDArray[np.float64], wanted: NDArray[np.float64]) -> Problem:
    """Of data whose means are zero."""
    return Problem(
        given.T @ given / len(given), given.T @ wanted / len(given), float(wanted.var(axis=0).sum())
    )


def centred(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    drawn = rng.normal(size=shape)
    return drawn - drawn.mean(axis=0)


def lost(given: NDArray[np.float64], wanted: NDArray[np.float64], kept: NDArray[np.intp]) -> float:
    """The share of the variance that these channels do not explain, by numpy's own least squares."""
    weight = np.linalg.lstsq(given[:, kept], wanted)[0]
    return float(((wanted - given[:, kept] @ weight) ** 2).sum() / (wanted**2).sum())


def test_the_channel_that_goes_is_the_one_that_the_fit_needs_least() -> None:
    rng = np.random.default_rng(14)
    given = centred(rng, 500, 12) @ rng.normal(size=(12, 12))
    sums = [given @ rng.normal(size=(12, outputs)) for outputs in (5, 3)]
    kept = np.arange(12)
    while len(kept) > STEP:
        rests = [np.delete(kept, place) for place in range(len(kept))]
        kept = min(rests, key=lambda rest: sum(lost(given, wanted, rest) for wanted in sums))
    np.testing.assert_array_equal(chosen([problem(given, wanted) for wanted in sums], np.inf), kept)


def test_no_channel_goes_that_costs_more_than_it_may() -> None:
    rng = np.random.default_rng(14)
    given = centred(rng, 500, STEP + 1)
    wanted = given @ rng.normal(size=(STEP + 1, 4))
    least = min(lost(given, wanted, np.delete(np.arange(STEP + 1), place)) for place in range(STEP + 1))
    assert len(chosen([problem(given, wanted)], 0.999 * least)) == STEP + 1
    assert len(chosen([problem(given, wanted)], 1.001 * least)) == STEP


def test_multiples_of_a_vector_stay() -> None:
    rng = np.random.default_rng(14)
    given = centred(rng, 500, 3 * STEP)
    given[:, STEP + 2 :] *= 1e-3
    assert len(chosen([problem(given, given.sum(axis=1, keepdims=True))], 1e-4)) == 2 * STEP


def graph(*, stride: int = 1, gate: bool = False, output: bool = False, side: int | str = 6) -> ir.Model:
    """x (B, 3, side, side) -> 3 x 3 to 16 -> ReLU -> depth-wise -> pooling -> point-wise to 4."""
    rng = np.random.default_rng(14)
    arrays = {
        "w0": rng.normal(size=(16, 3, 3, 3)),
        "b0": rng.normal(size=16),
        "w1": rng.normal(size=(16, 1, 3, 3)),
        "w2": rng.normal(size=(4, 16, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["made"], pads=[1] * 4),
        helper.make_node("Relu", ["made"], ["rectified"]),
        helper.make_node("Conv", ["rectified", "w1"], ["alone"], pads=[1] * 4, group=16),
        helper.make_node("AveragePool", ["alone"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["pooled", "w2"], ["y"], strides=[stride] * 2),
    ]
    nodes += [helper.make_node("Mul", ["alone", "alone"], ["z"])] if gate else []
    named = ["y", *(["z"] if gate else []), *(["alone"] if output else [])]
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 3, side, side])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", None, None, None]) for name in named],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    return ir.from_proto(onnx.shape_inference.infer_shapes(helper.make_model(made, opset_imports=opsets)))


def test_what_is_hidden() -> None:
    (found,) = hidden_channels(graph().graph)
    assert found.count == 16
    assert [len(found.depthwise), len(found.readers), len(found.values)] == [1, 1, 4]
    # 27 products a place to make one, thrice 9 for it alone, 4 to read it, on a quarter of the places.
    assert found.cost == pytest.approx((27 * 36 + 3 * 9 * 36 + 4 * 9) / 1e6)


@pytest.mark.parametrize("settings", [{"stride": 2}, {"gate": True}, {"output": True}, {"side": "s"}])
def test_what_is_not_hidden(settings: dict[str, Any]) -> None:
    assert not hidden_channels(graph(**settings).graph)


def test_a_graph_without_hidden_channels_has_no_such_form() -> None:
    def write(_: onnx.ModelProto) -> Verification:
        raise AssertionError("there is nothing to write")

    with pytest.raises(ModelError, match="no hidden channels"):
        write_as("pruned", graph(gate=True), {}, Path("model.onnx"), write)


class Residual(nn.Module):
    """Hidden channels around a shortcut, every one of them twice."""

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
    """Of the depth-wise convolutions."""
    found = onnx.load(path).graph
    stored = {tensor.name: tensor.dims for tensor in found.initializer}
    shapes = [stored[node.input[1]] for node in found.node if node.op_type == "Conv"]
    return [shape[0] for shape in shapes if shape[1] == 1]


def test_channels_that_say_what_others_say_go_for_nothing(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "PRICES", (1.0,))
    images, path = faces(("rgb",), 64), tmp_path / "model.onnx"
    done = exporter.export(PRUNED, residual, images, path, make_card(), verify_on(residual, images))
    assert widths(path) == [16, 16]
    assert done.facts["hidden channels"] == f"{sum(widths(path))} of 64"
    assert done.verification.max_difference < 0.01
    others = faces(("rgb",), 65)
    np.testing.assert_allclose(ModelFile(path)(others), scorer(residual)(others), atol=0.01)


def test_what_went_wrong_before_is_made_good(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = faces(("rgb",), 64)

    def difference(path: Path) -> float:
        done = exporter.export(PRUNED, residual, images, path, make_card(), verify_on(residual, images))
        assert widths(path) == [STEP, STEP]
        return done.verification.mean_difference

    monkeypatch.setattr(pruning, "PRICES", (1e9,))
    fitted = difference(tmp_path / "fitted.onnx")
    monkeypatch.setattr(pruning, "refit", lambda *_: None)
    assert fitted < 0.5 * difference(tmp_path / "cut.onnx")


def test_milder_ones_are_tried_where_one_is_refused(
    residual: Model, faces: Any, make_card: Any, tmp_path: Path
) -> None:
    images, path = faces(("rgb",), 16), tmp_path / "model.onnx"
    tried: list[int] = []

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        assert tolerance == 1
        tried.append(sum(widths(next(tmp_path.iterdir()))))
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


def test_something_has_to_hold_it(residual: Model, faces: Any, make_card: Any, tmp_path: Path) -> None:
    images, path = faces(("rgb",), 8), tmp_path / "model.onnx"

    def found(acer: float | None) -> Verification:
        return Verification(8, "dev", 0.0, 0.0, acer_before=acer, acer_after=acer, unverified=("no label",))

    def export(options: OnnxOptions, acer: float | None) -> None:
        exporter.export(options, residual, images, path, make_card(), lambda *_, **__: found(acer))

    with pytest.raises(
        DataError, match=r"model\.onnx: not written: .* ACER on dev.* \(no label\).* tolerance="
    ):
        export(OnnxOptions(form="pruned"), None)
    assert not list(tmp_path.iterdir())
    export(OnnxOptions(form="pruned"), 0.1)
    export(PRUNED, None)


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
