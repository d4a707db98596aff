"""A model small enough to train and export in a test."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from fas_core.config.recipe import Normalize
from fas_core.models.model import Model, Preprocess

CHANNELS, PATCH = 4, 4


class TinyBackbone(nn.Module):
    """One convolution of 4 x 4 pixels, and the mean of its map."""

    num_features, embedding_dim, num_logits, reduction = CHANNELS, CHANNELS, 2, PATCH

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, CHANNELS, kernel_size=PATCH, stride=PATCH)

    def forward_features(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.convolution(x)).relu()

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


class TinyFusion(nn.Module):
    """A linear classifier of the concatenated embeddings."""

    num_logits = 2

    def __init__(self, modalities: tuple[str, ...]) -> None:
        super().__init__()
        self.modalities = modalities
        self.linear = nn.Linear(CHANNELS * len(modalities), 2)

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        return cast(Tensor, self.linear(torch.cat([branches[name] for name in self.modalities], dim=1)))


def build_tiny_model(modalities: tuple[str, ...], side: int) -> Model:
    """Return the model for inputs of `side` pixels, with seeded weights, in eval mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(14)
        preprocess: dict[str, nn.Module] = {name: Preprocess(Normalize()) for name in modalities}
        backbones: dict[str, nn.Module] = {name: TinyBackbone() for name in modalities}
        return Model(preprocess, backbones, TinyFusion(modalities), "embeddings", side).eval()
