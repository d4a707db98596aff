"""The operations that a NumPy archive may have, by their names in torch's core ATen set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]


def convolve(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Array:
    """(B, C, H, W) by (K, C / groups, kh, kw) -> (B, K, h, w)."""
    if transposed or list(dilation) != [1, 1]:
        raise ValueError("convolutions are neither transposed nor dilated here")
    x = np.pad(x, ((0, 0), (0, 0), *((side, side) for side in padding)))
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    if groups == 1:
        y = np.moveaxis(np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))), 3, 1)
    else:
        windows = windows.reshape(len(x), groups, -1, *windows.shape[2:])
        grouped = weight.reshape(groups, -1, *weight.shape[1:])
        y = np.einsum("bgchwij,gkcij->bgkhw", windows, grouped)
        y = y.reshape(len(x), -1, *y.shape[3:])
    return y if bias is None else y + bias[:, None, None]


def average(x: Array, size: Sequence[int], stride: Sequence[int] = ()) -> Array:
    """Means of windows, (B, C, H, W) -> (B, C, h, w)."""
    rows, columns = stride or size
    return sliding_window_view(x, size, axis=(2, 3))[:, :, ::rows, ::columns].mean((4, 5))


def pad(x: Array, sides: Sequence[int], value: float = 0.0) -> Array:
    """Add to the axes, of which `sides` has the last one's two sides first."""
    pairs = list(zip(sides[::2], sides[1::2], strict=True))
    return np.pad(x, [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1], constant_values=value)


def normalize(
    x: Array, weight: Array, bias: Array, mean: Array, variance: Array, momentum: float, epsilon: float
) -> tuple[Array]:
    """Batch norm by the statistics of training, (B, C, ...)."""
    shape = (-1, *[1] * (x.ndim - 2))
    scale = weight / np.sqrt(variance + epsilon)
    return (x * scale.reshape(shape) + (bias - mean * scale).reshape(shape),)


def softmax(x: Array, axis: int, half_to_float: bool) -> Array:
    exponential = np.exp(x - x.max(axis, keepdims=True))
    return exponential / exponential.sum(axis, keepdims=True)


def convert(x: Array, dtype: str) -> Array:
    return x.astype(dtype.removeprefix("torch."))


def take(x: Array, axis: int = 0, start: int = 0, end: int = 2**63 - 1, step: int = 1) -> Array:
    return x[(slice(None),) * (axis % x.ndim) + (slice(start, end, step),)]


OPERATIONS: dict[str, Callable[..., Any]] = {
    "_native_batch_norm_legit_no_training.default": normalize,
    "_softmax.default": softmax,
    "_to_copy.default": convert,
    "add.Tensor": np.add,
    "addmm.default": lambda bias, x, weight: x @ weight + bias,
    "avg_pool2d.default": average,
    "bitwise_not.default": np.invert,
    "cat.default": lambda tensors, axis=0: np.concatenate(tensors, axis),
    "clone.default": lambda x: x,
    "constant_pad_nd.default": pad,
    "convolution.default": convolve,
    "div.Tensor": np.divide,
    "getitem": lambda results, index: results[index],
    "hardtanh.default": lambda x, low=-1.0, high=1.0: x.clip(low, high),
    "mean.dim": lambda x, axes, keepdim=False: x.mean(tuple(axes), keepdims=keepdim),
    "mul.Tensor": np.multiply,
    "permute.default": np.transpose,
    "relu.default": lambda x: np.maximum(x, 0),
    "scalar_tensor.default": lambda value, dtype: convert(np.asarray(value), dtype),
    "select.int": lambda x, axis, index: x.take(index, axis),
    "sigmoid.default": lambda x: 1 / (1 + np.exp(-x)),
    "slice.Tensor": take,
    "squeeze.dims": lambda x, axes: x.squeeze(tuple(axes)),
    "sub.Tensor": np.subtract,
    "sum.dim_IntList": lambda x, axes, keepdim=False: x.sum(tuple(axes), keepdims=keepdim),
    "tanh.default": np.tanh,
    "unsqueeze.default": np.expand_dims,
    "view.default": np.reshape,
    "where.self": np.where,
}
