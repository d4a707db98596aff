"""Average pools as convolutions, for int8: engines round a pool's output, and onnxruntime's takes long."""

from __future__ import annotations

import numpy as np
from onnxscript import ir

from fas_plugins.exporters.graph import add_constant, get_only_reader, is_pointwise, read_constant, read_sizes


def fold_average_pools(model: ir.Model) -> int:
    """Fold every average pool that only a point-wise convolution reads into that convolution, in place.

    The convolution gets the pool's kernel and stride; both are equal up to the order of summation.

    Returns:
        The number of pools folded.
    """
    pairs = [(node, conv) for node in model.graph if (conv := _find_foldable_conv(node)) is not None]
    for pool, conv in pairs:
        kernel = pool.attributes["kernel_shape"].as_ints()
        weight = np.tile(read_constant(conv.inputs[1]) / np.prod(kernel), (1, 1, *kernel))
        conv.replace_input_with(0, pool.inputs[0])
        conv.replace_input_with(1, add_constant(model.graph, f"{pool.name}.weight", weight))
        conv.attributes["kernel_shape"] = ir.AttrInt64s("kernel_shape", kernel)
        conv.attributes["strides"] = ir.AttrInt64s("strides", read_sizes(pool, "strides", [1] * len(kernel)))
        model.graph.remove(pool, safe=True)
    return len(pairs)


def _find_foldable_conv(pool: ir.Node) -> ir.Node | None:
    """Return the convolution that an average pool can be folded into."""
    if pool.op_type != "AveragePool" or _is_special(pool):
        return None
    conv = get_only_reader(pool)
    if conv is None or not is_pointwise(conv) or set(read_sizes(conv, "strides", [1])) != {1}:
        return None
    return None if any(read_sizes(conv, "pads", [0])) else conv


def _is_special(pool: ir.Node) -> bool:
    """Whether a pool is padded, rounds its size up, or skips positions."""
    ceil, auto_pad = pool.attributes.get("ceil_mode"), pool.attributes.get("auto_pad")
    return (
        any(read_sizes(pool, "pads", [0]))
        or set(read_sizes(pool, "dilations", [1])) != {1}
        or (ceil is not None and ceil.as_int() != 0)
        or (auto_pad is not None and auto_pad.as_string() != "NOTSET")
    )
