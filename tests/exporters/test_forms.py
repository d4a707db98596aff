"""Every form of every format scores as the model does, and the strongest variant that passes is written."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxscript import ir

from fas_core import Exporter, Model, ModelError, ModelFile
from fas_core.contracts import Exported, Verification
from fas_core.testing import find_component, score_images, verify_on
from fas_plugins.exporters.forms import write_form
from fas_plugins.exporters.tracing import trace_model

FORMATS = [
    ("onnx", {}),
    ("onnx", {"form": "fp16"}),
    ("onnx", {"form": "int8"}),
    ("onnx", {"form": "pruned", "tolerance": 1.0}),
    ("onnx", {"form": "pruned-int8", "tolerance": 1.0}),
    ("openvino", {}),
    ("torch", {}),
]
MODALITIES = ("rgb", "ir")
BOUND = {"fp16": 0.005, "int8": 0.1, "pruned": 0.1, "pruned-int8": 0.15}
Made = Callable[..., Any]


def export(
    name: str, options: dict[str, Any], model: Model, images: Any, card: Any, folder: Path
) -> Exported:
    exporter = find_component(Exporter, name)
    destination = folder / f"model{exporter.suffix}"
    done: Exported = exporter.load()(
        exporter.options(**options),
        model=model,
        samples=images,
        destination=destination,
        card=card,
        verify=verify_on(model, images),
    )
    return done


@pytest.fixture(scope="module", params=[False, True], ids=["all modalities", "some may be missing"])
def model(request: pytest.FixtureRequest, make_model: Made) -> Model:
    """A patch model of two modalities, whose graph is converted once for all forms."""
    made: Model = make_model(MODALITIES, partial=request.param, grid=3)
    return made


@pytest.mark.parametrize(("name", "options"), FORMATS)
def test_every_form_of_a_patch_model_scores_faces_as_the_model_does(
    name: str,
    options: dict[str, Any],
    model: Model,
    faces: Made,
    make_card: Made,
    tmp_path: Path,
) -> None:
    if name == "openvino" and find_spec("openvino") is None:
        pytest.skip("the extra openvino is not installed")
    card, images = make_card(MODALITIES, partial=model.partial), faces(MODALITIES, 12)
    done = export(name, options, model, images, card, tmp_path)
    assert done.verification.max_difference <= BOUND.get(options.get("form", ""), 1e-5)
    if name == "torch":
        return  # run by its exporter alone
    opened = ModelFile(done.path, threads=1)
    for count in (1, 5):
        given = faces(MODALITIES, count)
        presence = np.array([[True, row % 2 == 0] for row in range(count)]) if model.partial else None
        np.testing.assert_allclose(
            opened(given, presence),
            score_images(model, given, presence),
            atol=BOUND.get(options.get("form", ""), 1e-5),
        )


def graph() -> ir.Model:
    """x (B, 3, 4, 4) -> convolution -> y, an output: no channel is hidden."""
    weight = numpy_helper.from_array(np.ones((2, 3, 3, 3), np.float32), "w")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 3, 4, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", 2, 2, 2])
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
    return ir.from_proto(helper.make_model(helper.make_graph(nodes, "test", [x], [y], [weight])))


def test_float32_is_written_as_it_is() -> None:
    written: list[onnx.ModelProto] = []

    def write(proto: onnx.ModelProto, path: Path) -> Verification:
        assert path == Path("model.onnx")
        written.append(proto)
        return Verification(1, "dev", 0.0, 0.0)

    verification, facts = write_form("fp32", graph(), {}, Path("model.onnx"), write)
    assert verification == Verification(1, "dev", 0.0, 0.0)
    assert facts == {}
    assert [node.op_type for node in written[0].graph.node] == ["Conv"]


def test_the_error_of_the_only_variant_is_raised() -> None:
    def write(_: onnx.ModelProto, __: Path) -> Verification:
        raise ModelError("scores differ")

    with pytest.raises(ModelError, match="scores differ"):
        write_form("fp32", graph(), {}, Path("model.onnx"), write)


def test_a_graph_without_hidden_channels_cannot_be_pruned() -> None:
    def write(_: onnx.ModelProto, __: Path) -> Verification:
        raise AssertionError("there is nothing to write")

    with pytest.raises(ModelError, match=r"model\.onnx: not written: .* no hidden channels"):
        write_form("pruned", graph(), {}, Path("model.onnx"), write)


class Search:
    """A `write` that notes whether every graph is int8, and refuses some."""

    def __init__(self, destination: Path, refused: set[int]) -> None:
        self.destination, self.refused = destination, refused
        self.tried: list[str] = []

    def __call__(self, proto: onnx.ModelProto, path: Path) -> Verification:
        is_int8 = any(node.op_type == "QuantizeLinear" for node in proto.graph.node)
        assert (path == self.destination) == is_int8  # a graph in float32 is only tried
        self.tried.append("int8" if is_int8 else "fp32")
        if len(self.tried) in self.refused:
            raise ModelError(f"refused {len(self.tried)}")
        return Verification(6, "dev", 0.0, 0.0)


@pytest.mark.parametrize(
    ("refused", "tried", "bits"),
    [
        (set(), ["fp32", "int8"], 8),
        ({1, 2}, ["fp32", "fp32", "fp32", "int8"], 8),
        ({1, 3}, ["fp32", "fp32", "int8", "int8"], 7),
        ({2, 3}, ["fp32", "int8", "int8", "fp32", "int8"], 8),
    ],
)
def test_what_passes_pruned_is_quantized(
    refused: set[int], tried: list[str], bits: int, make_model: Made, faces: Made, make_card: Made
) -> None:
    model, images, destination = make_model(), faces(("rgb",), 6), Path("model.onnx")
    search = Search(destination, refused)
    traced = trace_model(model, images, make_card(), destination).graph
    _, facts = write_form("pruned-int8", traced, images, destination, search)
    assert search.tried == tried
    assert facts["bits of weights"] == bits
    assert facts["hidden channels"] == "14 of 14"


def test_nothing_that_passes_pruned(make_model: Made, faces: Made, make_card: Made) -> None:
    model, images, destination = make_model(), faces(("rgb",), 6), Path("model.onnx")
    search = Search(destination, set(range(1, 99)))
    traced = trace_model(model, images, make_card(), destination).graph
    with pytest.raises(ModelError, match="refused 6"):
        write_form("pruned-int8", traced, images, destination, search)
    assert search.tried == ["fp32"] * 6
