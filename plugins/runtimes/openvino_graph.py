"""Refuse an OpenVINO IR whose graph could run for ever, unfold to gigabytes, or is more than a graph.

Only what can be seen is refused, before the engine reads the file, as for ONNX (`onnx_graph`).
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from fas_core.errors import ModelError
from fas_plugins.runtimes.onnx_graph import MAX_ELEMENTS, MAX_NODES, MAX_VALUES

LOOPS = {"Loop", "TensorIterator"}

FILLING = {"Broadcast", "Tile", "Pad", "Interpolate", "OneHot", "Range", "RandomUniform", "Eye"}
"""Layers whose output is as large as the values of an input say."""

INTEGERS: dict[str, np.dtype[Any]] = {"i64": np.dtype("<i8"), "i32": np.dtype("<i4")}


def check_openvino(path: Path) -> None:
    """Check the graph of an `.xml`, and the constants in the `.bin` beside it.

    Raises:
        ModelError: the file is damaged, or its graph has what this module refuses.
    """
    content = path.read_bytes()
    if b"<!DOCTYPE" in content:
        raise ModelError(f"{path}: refused: it defines a document type, which can unfold to gigabytes")
    try:
        network = ElementTree.fromstring(content)
        _check_network(network, path)
    except (ElementTree.ParseError, ValueError, LookupError, OverflowError) as error:
        raise ModelError(f"{path}: cannot be loaded as OpenVINO, damaged or another kind of file") from error


def _check_network(network: ElementTree.Element, path: Path) -> None:
    layers = list(network.iter("layer"))
    if len(layers) > MAX_NODES:
        raise ModelError(f"{path}: refused: its graph has more than {MAX_NODES} layers")
    sizes = {layer.get("id"): _read_product(layer, path) for layer in layers if layer.get("type") == "Const"}
    sources: dict[str | None, list[str | None]] = {}
    for edge in network.iter("edge"):
        sources.setdefault(edge.get("to-layer"), []).append(edge.get("from-layer"))
    for layer in layers:
        kind = layer.get("type")
        if kind in LOOPS:
            raise ModelError(f"{path}: refused: its graph has {kind}, which may never end")
        if kind in FILLING and any(
            sizes.get(source, 0) > MAX_ELEMENTS for source in sources.get(layer.get("id"), ())
        ):
            limit = f"more than {MAX_ELEMENTS // 10**6} million values"
            raise ModelError(f"{path}: refused: its graph has {kind} to {limit}")


def _read_product(layer: ElementTree.Element, path: Path) -> int:
    """Return the product of a constant's integers; 0 of constants that are no sizes."""
    data = layer.find("data")
    attributes = {} if data is None else data.attrib
    offset, size = int(attributes.get("offset", 0)), int(attributes.get("size", 0))
    weights = path.with_suffix(".bin")
    if offset < 0 or size < 0 or offset + size > weights.stat().st_size:
        raise ModelError(f"{path}: cannot be loaded as OpenVINO: its weights go beyond {weights.name}")
    kind = INTEGERS.get(attributes.get("element_type", ""))
    if kind is None or not 0 < size <= MAX_VALUES * 8:
        return 0
    values = np.fromfile(weights, kind, size // kind.itemsize, offset=offset)
    return prod(max(abs(int(value)), 1) for value in values)
