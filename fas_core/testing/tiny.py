"""A model small enough to train and export in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from fas_core.config.recipe import Normalize
from fas_core.contracts import BranchSize
from fas_core.descriptors import Fusion
from fas_core.errors import ConfigError
from fas_core.models.build import measure_branch
from fas_core.models.model import Model, PatchGrid, Preprocess
from fas_core.records.stage import Stage
from fas_core.testing.components import find_component

CHANNELS, PATCH = 4, 4
Channels = tuple[float, float, float]


class TinyBackbone(nn.Module):
    """One convolution of 4 x 4 pixels, the mean of its map, and a linear classifier."""

    num_features, embedding_dim, num_logits, reduction = CHANNELS, CHANNELS, 2, PATCH

    def __init__(self, until: Stage = "logits") -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, CHANNELS, kernel_size=PATCH, stride=PATCH)
        if until == "logits":
            self.head = nn.Linear(CHANNELS, 2)

    def forward_features(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.convolution(x)).relu()

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.head(x))


class TinyFusion(nn.Module):
    """A linear classifier of the concatenated embeddings."""

    num_logits = 2

    def __init__(self, branches: tuple[BranchSize, ...]) -> None:
        super().__init__()
        self.modalities = tuple(branch.modality for branch in branches)
        self.linear = nn.Linear(sum(branch.embedding or 0 for branch in branches), 2)

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        return cast(Tensor, self.linear(torch.cat([branches[name] for name in self.modalities], dim=1)))


def build_tiny_model(
    modalities: tuple[str, ...],
    face_size: int,
    backbone: Callable[[], nn.Module] | None = None,
    fusion: str | Fusion | None = None,
    grid: int | None = None,
    partial: bool = False,
    normalize: tuple[Channels, Channels] = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
) -> Model:
    """Build the model that `fas_core.testing.tiny_model` describes."""
    component = find_component(Fusion, fusion) if isinstance(fusion, str) else fusion
    takes: Stage = "embeddings" if component is None else component.takes
    if takes == "inputs":
        raise ConfigError(f"{component} takes inputs: a tiny model has a network for each modality")
    side = face_size if grid is None else face_size // 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(14)
        backbones = {name: backbone() if backbone else TinyBackbone(takes) for name in modalities}
        sizes = tuple(measure_branch(name, module, side, takes) for name, module in backbones.items())
        if component is None:
            joint: nn.Module = TinyFusion(sizes)
        else:
            joint = component.call(component.options(), branches=sizes)
        return Model(
            {name: Preprocess(Normalize(*normalize)) for name in modalities},
            backbones,
            joint,
            takes,
            face_size,
            partial,
            None if grid is None else PatchGrid(grid, side, face_size),
        ).eval()
