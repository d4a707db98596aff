"""Supervision of a predicted map: what it should be, and the two losses that CDCN is trained with.

Searching Central Difference Convolutional Networks for Face Anti-Spoofing, arXiv 2003.04092.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core import ConfigError
from fas_core.records.outputs import Batch, Outputs
from fas_plugins.losses.options import ContrastDepthOptions, MapOptions

BLACK = 8
"""Of 255: pixels that no channel lifts above this are background; JPEG makes black that bright."""

NEIGHBOURS = [place for place in range(9) if place != 4]
"""Places of a 3 x 3 kernel around its centre, row by row."""


def predicted_map(outputs: Outputs, loss: str) -> Tensor:
    """The predicted map, (B, h, w), in float32 or better.

    Raises:
        ConfigError: the model predicts none.
    """
    if outputs.map is None:
        raise ConfigError(
            f"loss {loss!r} needs a predicted map, and this model has none: choose a backbone that has one, "
            "such as cdcn, with fusion single, or a loss over logits, such as focal"
        )
    return outputs.map.to(torch.promote_types(outputs.map.dtype, torch.float32))


def read_by(options: MapOptions) -> tuple[str, ...]:
    """The modality that the target is made from, where that is not the model's first."""
    named = options.modality or ("depth" if options.target == "depth" else None)
    return (named,) if named else ()


def target_map(options: MapOptions, batch: Batch, size: tuple[int, int]) -> Tensor:
    """What the map should be, (B, h, w) in [0, 1]: a live face's mask or depth; zero everywhere for attacks.

    Raises:
        ConfigError: the batch has no images of the modality.
    """
    modality = next(iter((*read_by(options), *batch.images)))
    if modality not in batch.images:
        raise ConfigError(
            f"loss: its target is made from modality {modality!r}, which is not in the batch "
            f"({', '.join(batch.images)})"
        )
    pixels = batch.images[modality].to(batch.label.device)  # uint8 (B, H, W, 3)
    if options.target == "mask":
        face = (pixels > BLACK).any(dim=3).float()
        target = (F.adaptive_avg_pool2d(face, size) >= 0.5).float()
    else:
        target = F.adaptive_avg_pool2d(pixels.float().mean(dim=3) / 255, size)
    return target * batch.label[:, None, None]


class MapMSE(nn.Module):
    """Mean over batch and places of (predicted - target)^2."""

    def __init__(self, options: MapOptions, model: nn.Module | None = None) -> None:
        super().__init__()
        self.options = options
        self.reads = read_by(options)

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """A scalar; needs `outputs.map`, (B, h, w)."""
        predicted = predicted_map(outputs, "map_mse")
        target = target_map(self.options, batch, (predicted.shape[1], predicted.shape[2]))
        return F.mse_loss(predicted, target)


class ContrastDepth(nn.Module):
    """Contrastive depth loss, plus `mse` times the loss `map_mse`; with both it is what CDCN is trained by.

    The mean over batch, places and the eight neighbours of (contrast of predicted - contrast of target)^2,
    where a place's contrast with a neighbour is the neighbour's value less its own.
    """

    kernels: Tensor

    def __init__(self, options: ContrastDepthOptions, model: nn.Module | None = None) -> None:
        super().__init__()
        self.options = options
        self.reads = read_by(options)
        kernels = torch.zeros(8, 9)
        kernels[torch.arange(8), NEIGHBOURS] = 1
        kernels[:, 4] = -1
        self.register_buffer("kernels", kernels.view(8, 1, 3, 3), persistent=False)

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """A scalar; needs `outputs.map`, (B, h, w) of at least 3 x 3."""
        predicted = predicted_map(outputs, "contrast_depth")
        size = predicted.shape[1], predicted.shape[2]
        if min(size) < 3:
            raise ConfigError(
                f"loss 'contrast_depth' needs a map of 3 x 3 or more, not {size}: raise input_size"
            )
        error = predicted - target_map(self.options, batch, size)
        # The contrasts are linear: those of the difference are the difference of those of the two maps.
        contrast = F.conv2d(error[:, None], self.kernels.to(error.dtype))  # (B, 8, h - 2, w - 2)
        return contrast.square().mean() + self.options.mse * error.square().mean()
