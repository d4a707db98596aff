"""A first convolution computes the same from normalised pixels, from bytes, and from groups of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_plugins.exporters.byte_stems import fold_normalisations
from fas_plugins.exporters.image_columns import group_columns

MEAN, STD = (0.3, 0.4, 0.5), (0.2, 0.3, 0.4)
EVEN = (128 / 255,) * 3


def graph(
    mean: tuple[float, ...] = MEAN,
    *,
    side: int = 16,
    kernel: int = 3,
    stride: int = 2,
    pad: int = 1,
    bias: bool = True,
    clipped: bool = True,
    bgr: bool = False,
) -> onnx.ModelProto:
    """Bytes (B, side, side, 3) -> normalised as a model does -> convolution to 8 -> clip -> negated."""
    rng = np.random.default_rng(14)
    scale = (1 / (255 * np.array(STD))).reshape(1, 3, 1, 1)
    arrays = {
        "scale": scale,
        "shift": -np.array(mean).reshape(1, 3, 1, 1) / np.array(STD).reshape(1, 3, 1, 1),
        "weight": rng.normal(size=(8, 3, kernel, kernel)),
        "bias": rng.normal(size=8),
        "low": np.array(-1.0),
        "high": np.array(2.0),
    }
    channels = helper.make_node("Slice", ["planes", "start", "end", "axis", "start"], ["bytes"])
    nodes = [
        helper.make_node("Transpose", ["image"], ["planes" if bgr else "bytes"], perm=[0, 3, 1, 2]),
        *([channels] if bgr else []),
        helper.make_node("Cast", ["bytes"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["pixels", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["normalised"]),
        helper.make_node(
            "Conv",
            ["normalised", "weight", *(["bias"] if bias else [])],
            ["conv"],
            pads=[pad] * 4,
            strides=[stride] * 2,
            kernel_shape=[kernel] * 2,
        ),
        *([helper.make_node("Clip", ["conv", "low", "high"], ["clip"])] if clipped else []),
        helper.make_node("Neg", ["clip" if clipped else "conv"], ["y"]),
    ]
    constants = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()]
    for name, value in (("start", -1), ("end", np.iinfo(np.int64).min), ("axis", 1)):
        constants.append(numpy_helper.from_array(np.array([value], np.int64), name))
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["b", side, side, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", None, None, None])],
        constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return onnx.shape_inference.infer_shapes(model)


def run(model: onnx.ModelProto, side: int = 16) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images = np.random.default_rng(1).integers(0, 256, (2, side, side, 3), np.uint8)
    return np.asarray(session.run(["y"], {"image": images})[0])


def kinds(model: ir.Model) -> list[str]:
    return [node.op_type for node in model.graph]


@pytest.mark.parametrize(
    "settings", [{}, {"bias": False}, {"stride": 1}, {"kernel": 5, "pad": 2}, {"bgr": True}]
)
def test_normalisation_goes_into_the_weights(settings: dict[str, Any]) -> None:
    original = graph(EVEN, **settings)
    model = ir.from_proto(original)
    (stem,) = fold_normalisations(model)
    assert stem.zero == 128
    assert "Mul" not in kinds(model)
    folded = ir.to_proto(model)
    onnx.checker.check_model(folded, full_check=True)
    np.testing.assert_allclose(run(folded), run(original), rtol=1e-4, atol=1e-4)


def test_the_border_is_the_byte_nearest_to_zero() -> None:
    original = graph((0.45, 0.47, 0.5))
    model = ir.from_proto(original)
    (stem,) = fold_normalisations(model)
    assert stem.zero == 121  # 114.75, 119.85 and 127.5 normalise to zero
    difference = np.abs(run(ir.to_proto(model)) - run(original))
    np.testing.assert_allclose(difference[..., 1:, 1:], 0, atol=1e-4)
    assert 0.01 < difference.max() < 1


def test_channels_too_far_apart_stay_normalised_where_the_image_is_padded() -> None:
    far = (0.3, 0.4, 0.5)  # 76.5 to 127.5
    assert not fold_normalisations(ir.from_proto(graph(far)))
    original = graph(far, pad=0)
    model = ir.from_proto(original)
    assert len(fold_normalisations(model)) == 1
    np.testing.assert_allclose(run(ir.to_proto(model)), run(original), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("settings", [{}, {"clipped": False}, {"kernel": 2}, {"kernel": 4}])
def test_columns_become_channels(settings: dict[str, Any]) -> None:
    original = graph(EVEN, **settings)
    model = ir.from_proto(original)
    (stem,) = fold_normalisations(model)
    group_columns(model.graph, stem)
    if settings.get("kernel", 3) != 3:
        assert "Reshape" not in kinds(model)
    else:
        assert [list(value.shape or ()) for value in (stem.conv.inputs[1],) if value] == [[16, 12, 3, 2]]
    grouped = ir.to_proto(model)
    onnx.checker.check_model(grouped, full_check=True)
    np.testing.assert_allclose(run(grouped), run(original), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "settings", [{"stride": 1}, {"side": 18}, {"kernel": 7, "pad": 3}, {"pad": 0}, {"bgr": True}]
)
def test_other_convolutions_read_the_image_as_it_is(settings: dict[str, Any]) -> None:
    original, side = graph(EVEN, **settings), settings.get("side", 16)
    model = ir.from_proto(original)
    (stem,) = fold_normalisations(model)
    group_columns(model.graph, stem)
    assert "Reshape" not in kinds(model)
    np.testing.assert_allclose(run(ir.to_proto(model), side), run(original, side), rtol=1e-4, atol=1e-4)
