"""Standardisation of features by constants that training measures, and the backbones that end with it."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from fas_plugins.backbones.base import OptionsT, StagedBackbone

EPSILON = 1e-5
"""Added to variances, so that a constant feature does no harm."""


class Standardize(nn.Module):
    """(B, E) -> (B, E): each feature minus its mean, divided by its deviation.

    The constants are buffers: 0 and 1 at first. Every batch of training moves them towards its own, after it
    was standardised: the n-th by 1 / n, and by `momentum` at least. They are the same for all samples of a
    batch and do not depend on it, so that training and evaluation compute the same function.
    """

    def __init__(self, features: int, momentum: float = 0.01) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))
        self.register_buffer("num_batches", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = cast(Tensor, self.mean), cast(Tensor, self.variance)
        result = (x - mean) * (variance + EPSILON).rsqrt()
        if self.training:
            self.update(x.detach())
        return result

    @torch.no_grad()
    def update(self, x: Tensor) -> None:
        """Move the constants towards the mean and variance of a batch (B, E)."""
        mean, variance = cast(Tensor, self.mean), cast(Tensor, self.variance)
        count = cast(Tensor, self.num_batches).add_(1)
        weight = (1 / count).clamp(min=self.momentum)
        difference = x.mean(dim=0) - mean
        spread = x.var(dim=0, correction=0) + (1 - weight) * difference**2  # about the common mean
        variance.lerp_(spread, weight)
        mean.lerp_(x.mean(dim=0), weight)


class StatisticsBackbone(StagedBackbone[OptionsT]):
    """A backbone whose map is E statistics of the input, (B, E, 1, 1): standardised, then a linear layer."""

    def build_embedding(self, options: OptionsT) -> None:
        self.standardize = Standardize(self.embedding_dim)

    def build_head(self, options: OptionsT, num_classes: int) -> None:
        self.classifier = nn.Linear(self.embedding_dim, num_classes)

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, E, 1, 1) -> (B, E), standardised."""
        embedding: Tensor = self.standardize(x.flatten(1))
        return embedding

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, E) -> (B, K)."""
        logits: Tensor = self.classifier(x)
        return logits
