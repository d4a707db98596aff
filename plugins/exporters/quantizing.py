"""A graph in int8: weights per channel, activations calibrated on real samples, as QDQ pairs.

Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference
(arXiv 1712.05877); quantized by onnxruntime's own tool. Weights are signed and symmetric, activations
unsigned: the pair for which onnxruntime has 8-bit kernels for every convolution.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxscript import ir
from onnxscript.ir.passes.common import RemoveUnusedNodesPass

from fas_core.atomic import temporary_folder
from fas_core.contracts import Images
from fas_plugins.exporters.average_pools import fold_average_pools
from fas_plugins.exporters.byte_stems import ByteStem, fold_normalisations, read_bytes
from fas_plugins.exporters.graph import (
    Facts,
    find_novelty,
    find_preprocessing,
    measure_depths,
    to_graph_inputs,
)
from fas_plugins.exporters.grouped_convolutions import merge_groups
from fas_plugins.exporters.image_columns import group_columns
from fas_plugins.exporters.tracing import silence

Engine = Literal["onnxruntime", "openvino"]
"""What runs the graph."""

FLOAT_SHARES = (0.0, 0.25, 0.5)
"""Share of the layers with weights, the deepest ones, that stays in float32 with everything after them.

Layers next to the score disturb it most and, being of the lowest resolution, are the cheapest in float32.
"""

WEIGHT_BITS = (8, 7)
"""Weights of 7 bits are tried where 8 fail: x86 CPUs without VNNI add pairs of products in 16 bits, which
overflow with 8."""

WEIGHTED = ("Conv", "Gemm", "MatMul")


def quantize_variants(
    model: ir.Model, samples: Images, engine: Engine, float_shares: Sequence[float] = FLOAT_SHARES
) -> Iterator[tuple[onnx.ModelProto, Facts]]:
    """Yield the graph in int8, first in fewer bits, then with ever more layers in float32, and the facts."""
    model = model.clone()
    stems = _prepare(model, engine)
    novelty = find_novelty(model.graph)
    total = sum(node.op_type in WEIGHTED for node in model.graph if node not in novelty)
    for share, bits in product(float_shares, WEIGHT_BITS):
        floats = _select_deepest(model.graph, share)
        float_layers = sum(node.op_type in WEIGHTED for node in floats if node not in novelty)
        yield (
            _quantize(model, samples, floats, bits, stems),
            {
                "calibrated on": len(next(iter(samples.values()))),
                "int8 layers": f"{total - float_layers} of {total}",
                "bits of weights": bits,
            },
        )


def _select_deepest(graph: ir.Graph, share: float) -> list[ir.Node]:
    """Return all nodes at least as deep as the deepest `share` of the layers with weights."""
    depths, novelty = measure_depths(graph), find_novelty(graph)
    weighted = [node for node in graph if node.op_type in WEIGHTED and node not in novelty]
    layers = sorted((depths[node] for node in weighted), reverse=True)
    count = round(share * len(layers))
    return [node for node in graph if depths[node] >= layers[count - 1]] if count else []


def _prepare(model: ir.Model, engine: Engine) -> list[ByteStem]:
    """Rewrite a graph into the one that is fastest in int8, in place; return the stems that read bytes.

    OpenVINO is faster with the normalisation as it is, and needs no help with grouped convolutions.
    """
    fold_average_pools(model)
    stems = []
    if engine == "onnxruntime":
        merge_groups(model)
        stems = fold_normalisations(model)
        for stem in stems:
            group_columns(model.graph, stem)
    RemoveUnusedNodesPass()(model)
    return stems


def _quantize(
    model: ir.Model, samples: Images, floats: Sequence[ir.Node], bits: int, stems: Sequence[ByteStem]
) -> onnx.ModelProto:
    """Return the graph in int8 with its metadata; preprocessing, softmax, novelty and `floats` in float32."""
    graph = model.graph
    softmax = [node for node in graph if node.op_type == "Softmax"]
    centres = [stem.centre for stem in stems]
    float_nodes = (*find_preprocessing(graph), *centres, *softmax, *find_novelty(graph), *floats)
    excluded = sorted({str(node.name) for node in float_nodes})
    proto = _run_quantizer(
        ir.to_proto(model), to_graph_inputs(graph, samples), excluded, bits, _fix_ranges(stems)
    )
    read_bytes(proto, stems)
    proto.producer_name, proto.producer_version = str(model.producer_name), str(model.producer_version)
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, dict(model.metadata_props))
    return proto


def _fix_ranges(stems: Sequence[ByteStem]) -> dict[str, list[dict[str, Any]]]:
    """Return the quantization of centred bytes, by name: they are integers already."""
    return {
        str(stem.centre.outputs[0].name): [
            {
                "quant_type": QuantType.QUInt8,
                "scale": np.array(1, np.float32),
                "zero_point": np.array(stem.zero, np.uint8),
            }
        ]
        for stem in stems
    }


def _run_quantizer(
    proto: onnx.ModelProto,
    inputs: Mapping[str, NDArray[Any]],
    excluded: list[str],
    bits: int,
    ranges: Mapping[str, Any],
) -> onnx.ModelProto:
    """Run onnxruntime's quantization, which works on files and logs a lot."""
    with temporary_folder() as folder, silence():
        source, quantized = folder / "float.onnx", folder / "int8.onnx"
        logging.disable(logging.WARNING)
        try:
            onnx.save(proto, source)
            quantize_static(
                source,
                quantized,
                _SampleReader(inputs),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                reduce_range=bits < 8,
                nodes_to_exclude=excluded,
                extra_options={"TensorQuantOverrides": dict(ranges)},
            )
            return onnx.load(quantized)
        finally:
            logging.disable(logging.NOTSET)


class _SampleReader(CalibrationDataReader):  # type: ignore[misc]
    """Gives the quantizer the samples one by one."""

    def __init__(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        count = len(next(iter(inputs.values())))
        self._samples = (
            {name: values[row : row + 1] for name, values in inputs.items()} for row in range(count)
        )

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._samples, None)
