"""The expanding convolution of an inverted residual with its batch norm and ReLU6, trained as one operation.

On a CPU, batch norm and ReLU6 take as long as convolutions, because they go over the largest tensors of the
network seven times forwards and seven times backwards. Of a convolution of 1 x 1, the statistics follow from
those of its input, which has a sixth of the channels: with mean m and covariance S, the output of a channel
with weights w has the mean w'm and the variance w'Sw. They are known before the convolution, which becomes
one with the batch norm, and the backward pass (arXiv 1502.03167, section 3) needs the output alone.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

LIMIT = 6.0
"""Of ReLU6."""

LEAST_POSITIONS = 16
"""Positions a channel of the input from which on the covariance costs less than it saves."""


def expand(conv: nn.Conv2d, norm: nn.BatchNorm2d, relu6: nn.Module, x: Tensor) -> Tensor:
    """Return `relu6(norm(conv(x)))`: (B, C, H, W) -> (B, out, H, W), and update the running statistics.

    On a CPU and in training it is one operation, equal to the three but for rounding.

    Args:
        conv: of 1 x 1, without bias, stride and groups.
        norm: affine, with running statistics.
    """
    if not _is_faster_joined(norm, x):
        return cast(Tensor, relu6(norm(conv(x))))
    outputs: tuple[Tensor, Tensor, Tensor] = _Expansion.apply(  # type: ignore[no-untyped-call]
        x, conv.weight, norm.weight, norm.bias, norm.eps
    )
    result, mean, variance = outputs
    count, momentum = x.numel() // x.shape[1], cast(float, norm.momentum)
    with torch.no_grad():
        cast(Tensor, norm.num_batches_tracked).add_(1)
        cast(Tensor, norm.running_mean).lerp_(mean, momentum)
        cast(Tensor, norm.running_var).lerp_(variance * (count / (count - 1)), momentum)
    return result


def _is_faster_joined(norm: nn.BatchNorm2d, x: Tensor) -> bool:
    """Return whether one operation is possible and faster: in fp32 on a CPU, on maps that are large enough.

    Batch norms of other types, as over several processes, have other statistics, and without a momentum they
    keep plain means; compilers join themselves.
    """
    return (
        norm.training
        and type(norm) is nn.BatchNorm2d
        and norm.momentum is not None
        and x.device.type == "cpu"
        and x.dtype.itemsize >= 4
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and x.numel() // x.shape[1] >= LEAST_POSITIONS * x.shape[1]
    )


class _Expansion(torch.autograd.Function):
    """(B, C, H, W) -> (B, out, H, W), and its mean and variance (out,) before it is normalised.

    Positions are rows, of which there are N = B x H x W; the names of gradients are those of the values.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, gain: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        batch, channels, height, width = x.shape
        rows, matrix = x.permute(0, 2, 3, 1).reshape(-1, channels), weight.flatten(1)
        mean = rows.mean(0)
        centred = rows.new_ones(len(rows), channels + 1)  # the last column's weights are the bias
        torch.sub(rows, mean, out=centred[:, :channels])
        spread = matrix @ (centred[:, :channels].T @ centred[:, :channels] / len(rows))
        variance = (spread * matrix).sum(1).clamp_(min=0)
        inverse = (variance + eps).rsqrt()
        scale = gain * inverse
        scaled = torch.cat([scale[:, None] * matrix, bias[:, None]], dim=1)
        result = (centred @ scaled.T).clamp_(0, LIMIT)
        result = result.view(batch, height, width, -1).permute(0, 3, 1, 2)
        ctx.save_for_backward(centred, result, matrix, spread, inverse, scale)
        mean = matrix @ mean
        ctx.mark_non_differentiable(mean, variance)
        return result, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the input, the weights, the gain and the bias."""
        centred, result, matrix, spread, inverse, scale = ctx.saved_tensors
        batch, outputs, height, width = result.shape
        passed = torch.ops.aten.hardtanh_backward(gradients[0], result, 0.0, LIMIT)
        rows = passed.permute(0, 2, 3, 1).reshape(-1, outputs)
        products = rows.T @ centred
        direct, bias = products[:, :-1], products[:, -1]
        gain = inverse * (direct * matrix).sum(1)
        slope = inverse * gain
        weight = scale[:, None] * (direct - slope[:, None] * spread)
        # What the input changes through the variance, and through the mean, which the column of ones holds.
        scaled = scale[:, None] * matrix
        variance = matrix.T @ (slope[:, None] * scaled)
        by_statistics = torch.cat([variance, (bias @ scaled)[None]]) / len(rows)
        x = torch.addmm(rows @ scaled, centred, by_statistics, alpha=-1)
        x = x.view(batch, height, width, -1).permute(0, 3, 1, 2)
        return x, weight[:, :, None, None], gain, bias, None
