"""Refuse an ONNX file whose graph could run for ever, unfold to gigabytes, or read other folders' files.

Only what can be seen is refused, before a session is made: sizes that a graph computes from its inputs are
not. The reader knows just the fields that it needs of the protobuf messages of `onnx.proto`.
"""

from __future__ import annotations

import struct
from collections import ChainMap
from math import prod
from pathlib import Path

from attrs import define, field

from fas_core.errors import ModelError
from fas_plugins.runtimes.protobuf import Message, read_integers, read_message, read_messages, read_texts

MAX_ELEMENTS = 1 << 27
"""Of a tensor that a graph makes of constants: half a GB of float32."""

MAX_NODES, MAX_DEPTH = 50_000, 16
"""Nodes of all graphs, with functions expanded where they are called, and graphs within graphs."""

MAX_CALLED = 8 << 20
"""Bytes of nodes that calls of functions may add up to."""

MAX_VALUES = 64
"""Constants of more bytes than these many numbers are not sizes."""

FILLING = {"ConstantOfShape", "Expand", "Tile", "Pad", "Resize", "Upsample", "OneHot"}
"""Operators whose output is as large as the values of an input say."""

SIZES = {"shape", "pads", "output_shape", "output_padding", "repeats", "scales"}
"""Attributes that say how large an output is."""

PASSING = {"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze"}
"""Operators whose output has the values of their first input."""

NUMBERS = {1: ("f", 4), 6: ("i", 5), 7: ("q", 7), 11: ("d", 10)}
"""`{data type: (struct's code, number of the field)}` of float, int32, int64 and double tensors."""

Values = tuple[float, ...]
Constants = ChainMap[str, Values]
"""Small constants by name: those of a graph, then those of the graphs around it."""


def check_onnx(path: Path) -> None:
    """Check the graph of an ONNX file.

    Raises:
        ModelError: the file is damaged, or its graph has what this module refuses.
    """
    try:
        with memoryview(path.read_bytes()) as data:
            _Check(path).check_model(read_message(data))
    except (ValueError, IndexError, struct.error) as error:
        raise ModelError(f"{path}: cannot be loaded as ONNX, damaged or another kind of file") from error


@define
class _Check:
    """One pass over the graphs of a model."""

    path: Path
    functions: dict[str, list[Message]] = field(factory=dict)
    nodes: int = 0
    called: int = 0
    """Bytes of the nodes of functions, counted again at each call."""
    unfolded: int = 0
    """Elements of all sparse tensors."""

    def check_model(self, model: Message) -> None:
        for function in read_messages(model, 25):
            for name in read_texts(function, 1):
                self.functions.setdefault(name, []).append(function)
        for graph in read_messages(model, 7):
            self.check_graph(graph, ChainMap())

    def check_graph(self, graph: Message, constants: Constants) -> None:
        """Check a graph (nodes: 1, initializers: 5 and 15) and all within it."""
        if len(constants.maps) > MAX_DEPTH:
            self.refuse(f"graphs within graphs, more than {MAX_DEPTH} deep")
        for tensor in read_messages(graph, 5):
            self.check_tensor(tensor)
            for name in read_texts(tensor, 8):
                constants[name] = _read_values(tensor)
        for sparse in read_messages(graph, 15):
            self.check_sparse(sparse)
        for node in read_messages(graph, 1):
            self.nodes += 1
            if self.nodes > MAX_NODES:
                self.refuse(f"more than {MAX_NODES} nodes")
            self.check_node(node, constants)

    def check_node(self, node: Message, constants: Constants) -> None:
        """Check a node (inputs: 1, outputs: 2, operator: 4, attributes: 5)."""
        operators, inputs = set(read_texts(node, 4)), [constants.get(name) for name in read_texts(node, 1)]
        values = inputs[0] if inputs and operators & PASSING else None
        for attribute in read_messages(node, 5):
            for tensor in read_messages(attribute, 5, 10):
                self.check_tensor(tensor)
                values = _read_values(tensor)
            for sparse in read_messages(attribute, 22, 23):
                self.check_sparse(sparse)
            if "Constant" in operators and (
                numbers := read_integers(attribute, 8) or read_integers(attribute, 3)
            ):
                values = numbers
            if SIZES.intersection(read_texts(attribute, 1)):
                self.check_size(operators, read_integers(attribute, 8))
            for graph in read_messages(attribute, 6, 11):
                if operators != {"If"}:
                    self.refuse(f"{', '.join(sorted(operators))}, which may never end")
                self.check_graph(graph, constants.new_child())
        if "Concat" in operators and all(item is not None for item in inputs):
            values = sum((item or () for item in inputs), ())[:MAX_VALUES]
        if operators & FILLING:
            for item in inputs[0 if "ConstantOfShape" in operators else 1 :]:
                self.check_size(operators, item or ())
        if "Range" in operators and len(inputs) == 3 and all(inputs):
            (start, *_), (limit, *_), (step, *_) = (item or (0,) for item in inputs)
            self.check_size(operators, ((limit - start) / step if step else 0,))
        if values is not None:
            constants.update(dict.fromkeys(read_texts(node, 2), values))
        for name in operators:
            for function in self.functions.get(name, ()):
                self.check_function(function, inputs, constants)

    def check_function(self, function: Message, inputs: list[Values | None], constants: Constants) -> None:
        """Check a function (inputs: 4, nodes: 7) as it is called here."""
        self.called += sum(len(node) for node in function.get(7, ()) if isinstance(node, memoryview))
        if self.called > MAX_CALLED:
            self.refuse(f"functions that are called for more than {MAX_CALLED >> 20} MiB of nodes")
        arguments = dict(zip(read_texts(function, 4), inputs, strict=False))
        known = {name: values for name, values in arguments.items() if values is not None}
        self.check_graph({1: function.get(7, [])}, constants.new_child(known))

    def check_size(self, operators: set[str], values: Values) -> None:
        if not prod(max(abs(value), 1) for value in values) <= MAX_ELEMENTS:  # or not a number
            self.refuse(f"{', '.join(sorted(operators))} to more than {MAX_ELEMENTS // 10**6} million values")

    def check_sparse(self, sparse: Message) -> None:
        """Check a sparse tensor (values: 1, indices: 2, dimensions: 3), which the engine makes a full one."""
        for tensor in read_messages(sparse, 1, 2):
            self.check_tensor(tensor)
        self.unfolded += prod(max(abs(size), 1) for size in read_integers(sparse, 3))
        self.check_size({"sparse tensors"}, (self.unfolded,))

    def check_tensor(self, tensor: Message) -> None:
        """Check where the data of a tensor are: in the file, or in another one of its folder."""
        for entry in read_messages(tensor, 13):
            if "location" not in read_texts(entry, 1):
                continue
            folder = self.path.parent.resolve()
            for location in read_texts(entry, 2):
                if not self.is_inside(folder, location):
                    self.refuse(f"data in {location[:80]!r}, which is no file of its folder")

    @staticmethod
    def is_inside(folder: Path, location: str) -> bool:
        try:
            target = (folder / location).resolve()
            return folder in target.parents and target.is_file()
        except (OSError, RuntimeError, ValueError):  # a name that no file can have, or a link to itself
            return False

    def refuse(self, reason: str) -> None:
        raise ModelError(f"{self.path}: refused: its graph has {reason}")


def _read_values(tensor: Message) -> Values:
    """Return the numbers of a small tensor (data type: 2, raw data: 9); nothing of others."""
    numbers: list[float] = []
    for kind in tensor.get(2, ()):
        if not isinstance(kind, int) or kind not in NUMBERS:
            continue
        code, typed = NUMBERS[kind]
        packed = [item for item in tensor.get(9, ()) if isinstance(item, memoryview)]
        if code in "iq":
            numbers += read_integers({1: [item for item in tensor.get(typed, ()) if _is_small(item)]}, 1)
        else:
            packed += [item for item in tensor.get(typed, ()) if isinstance(item, memoryview)]
        for data in packed:
            if _is_small(data):
                numbers += (item for (item,) in struct.iter_unpack(f"<{code}", data))
    return tuple(numbers)


def _is_small(value: int | memoryview) -> bool:
    return isinstance(value, int) or len(value) <= 8 * MAX_VALUES
