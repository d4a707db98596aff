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

from fas_core import Exporter, ModelError
from fas_core.contracts import Exported, Verification
from fas_core.models.model import Model, scorer
from fas_core.registry import registry
from fas_core.runtime import ModelFile
from fas_core.testing import verify_on
from fas_plugins.exporters.forms import write_form

FORMATS = [
    ("onnx", {}),
    ("onnx", {"form": "fp16"}),
    ("onnx", {"form": "int8"}),
    ("onnx", {"form": "pruned", "tolerance": 1.0}),
    ("openvino", {}),
    ("torch", {}),
]
MODALITIES = ("rgb", "ir")
BOUND = {"fp16": 0.005, "int8": 0.1, "pruned": 0.1}
Made = Callable[..., Any]


def export(
    name: str, options: dict[str, Any], model: Model, images: Any, card: Any, folder: Path
) -> Exported:
    exporter = registry().find(Exporter, name)
    assert isinstance(exporter, Exporter)
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
            scorer(model)(given, presence),
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

    def write(proto: onnx.ModelProto) -> Verification:
        written.append(proto)
        return Verification(1, "dev", 0.0, 0.0)

    verification, facts = write_form("fp32", graph(), {}, Path("model.onnx"), write)
    assert verification == Verification(1, "dev", 0.0, 0.0)
    assert facts == {}
    assert [node.op_type for node in written[0].graph.node] == ["Conv"]


def test_the_error_of_the_only_variant_is_raised() -> None:
    def write(_: onnx.ModelProto) -> Verification:
        raise ModelError("scores differ")

    with pytest.raises(ModelError, match="scores differ"):
        write_form("fp32", graph(), {}, Path("model.onnx"), write)


def test_a_graph_without_hidden_channels_cannot_be_pruned() -> None:
    def write(_: onnx.ModelProto) -> Verification:
        raise AssertionError("there is nothing to write")

    with pytest.raises(ModelError, match=r"model\.onnx: not written: .* no hidden channels"):
        write_form("pruned", graph(), {}, Path("model.onnx"), write)
