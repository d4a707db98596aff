"""Batch norm over the batches of all processes, so that several processes train as one does.

On accelerators it is PyTorch's `SyncBatchNorm`, which runs on no CPU; on CPUs it is the one here. Both as in
"MegDet: A Large Mini-Batch Object Detector", arXiv 1711.07240, section 3.3.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm


class SynchronizedBatchNorm(_BatchNorm):
    """Batch norm of tensors on a CPU; in training its statistics are those of all processes together.

    Every process must call it as often, with at least one sample; how many may differ.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch norm of {input.dim()} dimensions: it takes (B, C, ...)")

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        self._check_input_dim(input)
        mean, variance, count = _join_statistics(input.detach())
        if self.track_running_stats:
            self._update_running(mean, variance * count / (count - 1))
        return cast(Tensor, _Normalize.apply(input, self.weight, self.bias, mean, variance, count, self.eps))  # type: ignore[no-untyped-call]

    def _update_running(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics to a batch's; without `momentum` they are the means of all batches."""
        tracked = cast(Tensor, self.num_batches_tracked).add_(1)
        weight = 1 / int(tracked) if self.momentum is None else self.momentum
        cast(Tensor, self.running_mean).lerp_(mean, weight)
        cast(Tensor, self.running_var).lerp_(variance, weight)


def _join_statistics(values: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return mean and variance (C,) of the values (B, C, ...) of all processes, and how many each is over.

    The variances of the processes are joined as in Chan et al., "Updating Formulae and a Pairwise Algorithm
    for Computing Sample Variances" (1979), as differences of large sums would lose digits.
    """
    values = values.to(torch.promote_types(values.dtype, torch.float32))
    mean, variance = torch.ops.aten.batch_norm_update_stats(
        values, None, None, 0.0
    )  # var_mean is 20 x slower
    count = mean.new_tensor([values.numel() // values.shape[1]])
    own = torch.cat([mean, variance, count]).double()
    rows = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(rows, own)
    table = torch.stack(rows)  # (processes, 2 C + 1)
    counts, total = table[:, -1:], table[:, -1].sum()
    means, variances = table[:, :-1].chunk(2, dim=1)
    joined = (counts * means).sum(0) / total
    spread = (counts * (variances + (means - joined).square())).sum(0) / total
    return joined.to(mean.dtype), spread.to(mean.dtype), int(total)


class _Normalize(torch.autograd.Function):
    """Normalise by given statistics of all processes; the gradient knows that they depend on the values."""

    @staticmethod
    def forward(
        ctx: Any,
        values: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        variance: Tensor,
        count: int,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(values, weight, mean, variance)
        ctx.count, ctx.eps = count, eps
        return F.batch_norm(values, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of values, weight and bias, by arXiv 1502.03167, section 3."""
        values, weight, mean, variance = ctx.saved_tensors
        # With the statistics held constant: that of the values, and the sums of this process.
        direct, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradients[0], values, weight, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        sums = torch.cat([of_weight, of_bias]).double()
        distributed.all_reduce(sums)
        slope, shift = (sums / ctx.count).to(mean.dtype).chunk(2)
        inverse = (variance + ctx.eps).rsqrt()
        scale = inverse if weight is None else inverse * weight
        slope = scale * inverse * slope
        shape = (1, -1, *[1] * (values.dim() - 2))
        constant = (scale * shift - slope * mean).view(shape)
        of_values = torch.addcmul(direct, values, slope.view(shape), value=-1).sub_(constant)
        needs = ctx.needs_input_grad
        return (
            of_values.to(values.dtype),
            of_weight if needs[1] else None,
            of_bias if needs[2] else None,
            *[None] * 4,
        )


def synchronize_batch_norms(module: nn.Module, device: torch.device) -> None:
    """Replace the batch norms below a module by ones over all processes; parameters and their names stay."""
    replaced: dict[nn.Module, nn.Module] = {}  # a batch norm may be at several places
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, _BatchNorm):
                if child not in replaced:
                    replaced[child] = _synchronize(child, device)
                setattr(parent, name, replaced[child])


def _synchronize(norm: _BatchNorm, device: torch.device) -> nn.Module:
    kind = SynchronizedBatchNorm if device.type == "cpu" else nn.SyncBatchNorm
    synchronized = kind(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    synchronized.weight, synchronized.bias = norm.weight, norm.bias
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        setattr(synchronized, name, getattr(norm, name))
    return synchronized.train(norm.training)
