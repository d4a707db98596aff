"""A graph in int8: weights per channel, activations by what real samples give, as QDQ pairs.

Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference
(arXiv 1712.05877); written by onnxruntime's own tool.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxscript import ir

from fas_core.contracts import Images
from fas_plugins.exporters.graph import depths, fed
from fas_plugins.exporters.preprocessing import preprocessing
from fas_plugins.exporters.tracing import silence

FLOAT_SHARES = (0.0, 0.25, 0.5)
"""The deepest so many of the layers with weights, and all after them, stay in float32 where fewer fail.

Those next to the score disturb it most, and, being of the lowest resolution, are the cheapest in float32.
"""

WEIGHT_BITS = (8, 7)
"""Those of 7 bits are tried where those of 8 fail: x86 CPUs without VNNI add pairs of products in 16 bits,
which overflow with 8."""

WEIGHTED = ("Conv", "Gemm", "MatMul")


def quantized(model: ir.Model, samples: Images) -> Iterator[tuple[onnx.ModelProto, dict[str, str | int]]]:
    """The graph in int8, with fewer bits, then with ever more of it in float32; and the facts of each."""
    weighted = sum(node.op_type in WEIGHTED for node in model.graph)
    for share, bits in product(FLOAT_SHARES, WEIGHT_BITS):
        floats = _deepest(model.graph, share)
        left = sum(node.op_type in WEIGHTED for node in floats)
        yield (
            _quantized(model, samples, floats, bits),
            {
                "calibrated on": len(next(iter(samples.values()))),
                "int8 layers": f"{weighted - left} of {weighted}",
                "bits of weights": bits,
            },
        )


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """The samples one by one, as the graph's inputs."""

    def __init__(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        self._rows = self._each(inputs)

    @staticmethod
    def _each(inputs: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, NDArray[Any]]]:
        for row in range(len(next(iter(inputs.values())))):
            yield {name: values[row : row + 1] for name, values in inputs.items()}

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._rows, None)


def _quantized(model: ir.Model, samples: Images, floats: Sequence[ir.Node], bits: int) -> onnx.ModelProto:
    graph = model.graph
    inputs = fed(graph, samples)
    softmax = [node for node in graph if node.op_type == "Softmax"]
    left = {str(node.name) for node in (*preprocessing(graph), *softmax, *floats)}
    with TemporaryDirectory() as folder, silence():
        logging.disable(logging.WARNING)
        try:
            source, made = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
            onnx.save(ir.to_proto(model), source)
            quantize_static(
                source,
                made,
                _Reader(inputs),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                reduce_range=bits < 8,
                nodes_to_exclude=sorted(left),
            )
            proto = onnx.load(made)
        finally:
            logging.disable(logging.NOTSET)
    proto.producer_name, proto.producer_version = str(model.producer_name), str(model.producer_version)
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, dict(model.metadata_props))
    return proto


def _deepest(graph: ir.Graph, share: float) -> list[ir.Node]:
    """From the layer on that has `share` of the weighted ones behind it, everything."""
    depth = depths(graph)
    deepest = sorted((depth[node] for node in graph if node.op_type in WEIGHTED), reverse=True)
    count = round(share * len(deepest))
    return [node for node in graph if depth[node] >= deepest[count - 1]] if count else []
