"""Graphs of strangers that are refused before a session is made, in files that the onnx package writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from faults.counts import count
from faults.mutation import mutations, run_reader
from onnx import TensorProto, helper, numpy_helper

from fas_core import ModelError, NoOptions
from fas_plugins.runtimes.onnx import OnnxEngine
from fas_plugins.runtimes.onnx_graph import MAX_NODES, check_onnx
from fas_plugins.runtimes.protobuf import encode_field

BIG = 1 << 20
node = helper.make_node


def open_engine(path: Path) -> OnnxEngine:
    return OnnxEngine(NoOptions(), path, threads=1)


def constant(name: str, values: Any, kind: Any = np.int64) -> TensorProto:
    return numpy_helper.from_array(np.array(values, kind), name)


def sparse(shape: Sequence[int], name: str = "s") -> Any:
    """A sparse tensor of one number."""
    return helper.make_sparse_tensor(
        constant(name, [1.0], np.float32), constant("", [[0] * len(shape)]), shape
    )


def graph(
    nodes: Sequence[Any],
    initializers: Sequence[TensorProto] = (),
    output: str = "y",
    sparse: Sequence[Any] = (),
) -> Any:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    y = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    return helper.make_graph(list(nodes), "g", [x], [y], list(initializers), sparse_initializer=list(sparse))


def save(path: Path, content: Any, **options: Any) -> Path:
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    path.write_bytes(
        helper.make_model(content, opset_imports=opset, ir_version=8, **options).SerializeToString()
    )
    return path


def branch(name: str, nodes: Sequence[Any] | None = None) -> Any:
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    return helper.make_graph(list(nodes or [node("Identity", ["x"], [name])]), name, [], [output])


def endless(operator: str) -> Any:
    """A graph with an operator that has a graph within."""
    if operator == "Loop":
        condition = helper.make_tensor_value_info("condition", TensorProto.BOOL, [])
        step = helper.make_tensor_value_info("step", TensorProto.INT64, [])
        body = helper.make_graph(
            [node("Identity", ["again"], ["condition"])], "body", [step, step], [condition]
        )
        return graph([node("Loop", ["", "yes"], [], body=body), node("Identity", ["x"], ["y"])])
    return graph([node(operator, ["x"], ["y"], body=branch("inner"))])


UNFOLDING: dict[str, Callable[[], Any]] = {
    "ConstantOfShape": lambda: graph([node("ConstantOfShape", ["n"], ["y"])], [constant("n", [BIG, BIG])]),
    "Expand": lambda: graph([node("Expand", ["x", "n"], ["y"])], [constant("n", [BIG, 1, 1000])]),
    "Tile": lambda: graph([node("Tile", ["x", "n"], ["y"])], [constant("n", [BIG, BIG])]),
    "Range": lambda: graph(
        [node("Range", ["a", "b", "c"], ["y"])],
        [constant(name, value, np.float32) for name, value in (("a", 0), ("b", 1e12), ("c", 1))],
    ),
    "Pad": lambda: graph([node("Pad", ["x", "n"], ["y"])], [constant("n", [0, BIG, 0, BIG])]),
    "OneHot": lambda: graph(
        [node("OneHot", ["x", "n", "v"], ["y"])],
        [constant("n", BIG * BIG), constant("v", [0.0, 1.0], np.float32)],
    ),
    "Resize": lambda: graph([node("Resize", ["x", "", "n"], ["y"])], [constant("n", [1e6, 1e6], np.float32)]),
    "RandomNormal": lambda: graph([node("RandomNormal", [], ["y"], shape=[BIG, BIG])]),
    "Conv": lambda: graph([node("Conv", ["x", "x"], ["y"], pads=[BIG, BIG, BIG, BIG])]),
    "a Constant node": lambda: graph(
        [node("Constant", [], ["n"], value_ints=[BIG, BIG]), node("ConstantOfShape", ["n"], ["y"])]
    ),
    "a tensor in a Constant node": lambda: graph(
        [node("Constant", [], ["n"], value=constant("", [BIG, BIG])), node("Expand", ["x", "n"], ["y"])]
    ),
    "a chain": lambda: graph(
        [
            node("Cast", ["a"], ["b"], to=TensorProto.INT64),
            node("Concat", ["b", "b"], ["c"], axis=0),
            node("Expand", ["x", "c"], ["y"]),
        ],
        [constant("a", [BIG], np.int32)],
    ),
    "a branch": lambda: graph(
        [
            node(
                "If",
                ["x"],
                ["y"],
                then_branch=branch("a", [node("ConstantOfShape", ["n"], ["a"])]),
                else_branch=branch("b"),
            )
        ],
        [constant("n", [BIG, BIG])],
    ),
    "a sparse tensor": lambda: graph([node("Identity", ["s"], ["y"])], sparse=[sparse([BIG, 1000])]),
    "several sparse tensors": lambda: graph(
        [node("Identity", ["s"], ["y"])], sparse=[sparse([BIG, 60], name) for name in "stu"]
    ),
    "a sparse tensor in a Constant node": lambda: graph(
        [node("Constant", [], ["y"], sparse_value=sparse([BIG, 1000]))]
    ),
    "typed data": lambda: graph(
        [node("ConstantOfShape", ["n"], ["y"])], [helper.make_tensor("n", TensorProto.INT64, [2], [BIG, BIG])]
    ),
}


@pytest.mark.parametrize("name", UNFOLDING)
def test_constants_that_unfold_to_gigabytes(tmp_path: Path, name: str) -> None:
    count("bombs")
    path = save(tmp_path / "model.onnx", UNFOLDING[name]())
    with pytest.raises(ModelError, match=r"l\.onnx: refused: its graph has [\w ]+ to more than 134 million"):
        open_engine(path)


@pytest.mark.parametrize("operator", ["Loop", "Scan", "SequenceMap", "BeamSearch"])
def test_loops(tmp_path: Path, operator: str) -> None:
    count("bombs")
    path = save(tmp_path / "model.onnx", endless(operator))
    with pytest.raises(ModelError, match=f"its graph has {operator}, which may never end"):
        open_engine(path)


def test_functions_that_multiply(tmp_path: Path) -> None:
    count("bombs", 2)

    def function(number: int) -> Any:
        inner = f"f{number - 1}" if number else "Identity"
        domain = "local" if number else ""
        nodes = [node(inner, ["a"], [f"b{index}"], domain=domain) for index in range(10)]
        opset = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
        return helper.make_function("local", f"f{number}", ["a"], ["b0"], nodes, opset)

    call = graph([node("f9", ["x"], ["y"], domain="local")])
    path = save(tmp_path / "model.onnx", call, functions=[function(number) for number in range(10)])
    start = time.monotonic()
    with pytest.raises(ModelError, match=f"more than {MAX_NODES} nodes"):
        open_engine(path)
    assert time.monotonic() - start < 10
    itself = helper.make_function("local", "f", ["a"], ["b"], [node("f", ["a"], ["b"], domain="local")], [])
    path = save(tmp_path / "model.onnx", graph([node("f", ["x"], ["y"], domain="local")]), functions=[itself])
    with pytest.raises(ModelError, match="graphs within graphs"):
        open_engine(path)


def test_a_large_function_that_is_called_often(tmp_path: Path) -> None:
    """A node of unknown fields costs as much at each call as when the file is read."""
    count("bombs")
    body = node("Identity", ["a"], ["b"])
    function = helper.make_function("local", "f", ["a"], ["b"], [body], [helper.make_opsetid("", 17)])
    calls = graph([node("f", ["x"], [f"y{index}"], domain="local") for index in range(2000)])
    content = save(tmp_path / "model.onnx", calls, functions=[function]).read_bytes()
    small = body.SerializeToString()
    large = small + b"\x98\x06\x01" * 200_000  # field 99
    longer = encode_field(
        25, function.SerializeToString().replace(encode_field(7, small), encode_field(7, large))
    )
    (tmp_path / "model.onnx").write_bytes(
        content.replace(encode_field(25, function.SerializeToString()), longer)
    )
    with pytest.raises(ModelError, match="functions that are called for more than 8 MiB of nodes"):
        open_engine(tmp_path / "model.onnx")


def test_a_function_that_unfolds_its_argument(tmp_path: Path) -> None:
    body = [node("ConstantOfShape", ["a"], ["b"])]
    function = helper.make_function("local", "f", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    content = graph([node("f", ["n"], ["y"], domain="local")], [constant("n", [BIG, BIG])])
    path = save(tmp_path / "model.onnx", content, functions=[function])
    with pytest.raises(ModelError, match="ConstantOfShape to more than 134 million values"):
        open_engine(path)


def external(location: str) -> Any:
    tensor = constant("w", [1.0] * 4, np.float32)
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    return graph([node("Add", ["x", "w"], ["y"])], [tensor])


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/hostname", "link", "", "no such file", "a" * 300, "\0"]
)
def test_external_data_elsewhere(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(16))
    (folder / "link").symlink_to(tmp_path / "secret")
    path = save(folder / "model.onnx", external(location))
    with pytest.raises(ModelError, match=r"its graph has data in .*, which is no file of its folder"):
        open_engine(path)


def test_external_data_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(np.full(4, 3, np.float32).tobytes())
    engine = open_engine(save(tmp_path / "model.onnx", external("weights")))
    (sums,) = engine.run(["y"], {"x": np.ones((1, 4), np.float32)})
    np.testing.assert_array_equal(sums, [[4.0] * 4])


def test_what_models_have_is_not_refused(tmp_path: Path, mean_model: Any) -> None:
    check_onnx(mean_model())
    condition = constant("yes", True, bool)
    either = node("If", ["yes"], ["y"], then_branch=branch("a"), else_branch=branch("b"))
    open_engine(save(tmp_path / "if.onnx", graph([either], [condition])))
    sizes = [constant("square", [2, -1]), constant("few", [2, 2])]
    nodes = [node("Reshape", ["x", "square"], ["z"]), node("Tile", ["z", "few"], ["y"])]
    open_engine(save(tmp_path / "sizes.onnx", graph(nodes, sizes)))


def test_mutations(tmp_path: Path, mean_model: Any) -> None:
    path = tmp_path / "mutation.onnx"

    def read(data: bytes) -> object:
        path.write_bytes(data)
        return open_engine(path)

    files = [save(tmp_path / f"{number}.onnx", make()) for number, make in enumerate(UNFOLDING.values())]
    originals = [mean_model().read_bytes(), *(file.read_bytes() for file in files)]
    assert run_reader(read, mutations(originals, 300)) == []
