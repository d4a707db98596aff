"""A network small enough to be exported in a second, in the shape of any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fas_core import Card, Model, ModelInput, Resize, Threshold
from fas_core.testing import tiny_model

SIDE = 16
UNEVEN = ((0.3, 0.4, 0.5), (0.2, 0.3, 0.4))
"""Mean and standard deviation of pixels: the channels differ, so that none is taken for another."""
Images = dict[str, NDArray[np.uint8]]


class TinyBackbone(nn.Module):
    """Batch norm after a convolution and before one; an in-place activation; pooling; two classes."""

    num_features, embedding_dim, num_logits, reduction = 8, 8, 2, 4

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, 2, 1, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU6(inplace=True),
            nn.AvgPool2d(2),
            nn.BatchNorm2d(6),
            nn.Conv2d(6, 8, 1, bias=False),
        )
        self.head = nn.Linear(8, 2)

    def forward_features(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(x)
        return features

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x)
        return logits


class WideBackbone(nn.Module):
    """Two residual blocks of 32 hidden channels, as inverted residuals are; two classes."""

    num_features, embedding_dim, num_logits, reduction = 8, 8, 2, 2

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(inplace=True))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(8, 32, 1),
                nn.ReLU6(),
                nn.Conv2d(32, 32, 3, 1, 1, groups=32),
                nn.ReLU6(),
                nn.Conv2d(32, 8, 1),
            )
            for _ in range(2)
        )
        self.head = nn.Linear(8, 2)
        with torch.no_grad():
            for block in self.blocks:
                for layer in (block[0], block[2]):
                    layer.weight *= 4  # so that activations bend, and no layer replaces another's channels

    def forward_features(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return x

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x)
        return logits


def randomise(model: nn.Module) -> None:
    """Batch norms that do something, as after training."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Model]:
    """`make_model(modalities, backbone class, fusion, partial, grid, normalize)`: seeded, in eval mode."""

    def make(
        modalities: Sequence[str] = ("rgb",),
        backbone: type[nn.Module] = TinyBackbone,
        joined: str = "concat_linear",
        partial: bool = False,
        grid: int | None = None,
        normalize: Any = UNEVEN,
    ) -> Model:
        fusion = joined if len(modalities) > 1 else "single"
        model = tiny_model(
            tuple(modalities),
            backbone=backbone,
            fusion=fusion,
            face_size=SIDE,
            grid=grid,
            partial=partial,
            normalize=normalize,
        )
        torch.manual_seed(14)
        randomise(model)
        return model

    return make


@pytest.fixture
def tiny_backbone() -> type[TinyBackbone]:
    """To be derived from."""
    return TinyBackbone


@pytest.fixture(scope="session")
def wide_backbone() -> type[WideBackbone]:
    """A backbone with hidden channels to prune."""
    return WideBackbone


@pytest.fixture(scope="session")
def faces() -> Callable[..., Images]:
    """`faces(modalities, count, side)`: the same noise for the same arguments."""

    def make(modalities: Sequence[str], count: int, side: int = SIDE) -> Images:
        rng = np.random.default_rng([count, side])
        return {name: rng.integers(0, 256, (count, side, side, 3), np.uint8) for name in modalities}

    return make


@pytest.fixture(scope="session")
def make_card() -> Callable[..., Card]:
    """`make_card(modalities, side, partial)`."""

    def make(modalities: Sequence[str] = ("rgb",), side: int = SIDE, partial: bool = False) -> Card:
        return Card(
            input=ModelInput(tuple(modalities), side, resize=Resize(crop=0.9), partial=partial),
            threshold=Threshold(0.3125, "eer", "dev"),
            recipe={"modalities": list(modalities), "train": {"lr": 0.01}},
            data={"dev": "0123456789abcdef"},
            versions={"torch": torch.__version__},
        )

    return make
