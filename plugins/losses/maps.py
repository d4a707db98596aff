"""Supervision of a predicted map: its target, and the two losses that CDCN is trained with.

Searching Central Difference Convolutional Networks for Face Anti-Spoofing, arXiv 2003.04092.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core import ConfigError
from fas_core.contracts import MapBackbone
from fas_core.records.outputs import Batch, Outputs
from fas_plugins.losses.options import ContrastDepthOptions, MapOptions

BLACK = 8
"""Of 255: a pixel is background if no channel is above this; JPEG makes black pixels that bright."""

NEIGHBOURS = [index for index in range(9) if index != 4]
"""Indices of a 3 x 3 kernel around its centre, row by row."""


def require_map(outputs: Outputs, loss: str) -> Tensor:
    """Return the predicted map, (B, h, w), in float32 or better.

    Raises:
        ConfigError: the model predicts no map.
    """
    if outputs.map is None:
        raise ConfigError(
            f"loss {loss!r} needs a predicted map, and this model has none: choose a backbone that "
            "predicts one, such as cdcn, with fusion single, or a loss over logits, such as focal"
        )
    return outputs.map.to(torch.promote_types(outputs.map.dtype, torch.float32))


def list_target_modalities(options: MapOptions) -> tuple[str, ...]:
    """Return the modality that the target is made from, unless it is the model's first."""
    modality = options.modality or ("depth" if options.target == "depth" else None)
    return (modality,) if modality else ()


def build_target_map(options: MapOptions, batch: Batch, size: tuple[int, int]) -> Tensor:
    """Return the target map, (B, h, w) in [0, 1]: a live face's mask or depth; zero for attacks.

    Raises:
        ConfigError: the batch has no images of the modality.
    """
    modality = next(iter((*list_target_modalities(options), *batch.images)))
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


def check_map_size(size: tuple[int, int]) -> None:
    """Refuse a map (h, w) in which no position has eight neighbours.

    Raises:
        ConfigError: it has fewer than 3 rows or columns.
    """
    if min(size) < 3:
        raise ConfigError(f"loss 'contrast_depth' needs a map of 3 x 3 or more, not {size}: raise input_size")


class MapMSE(nn.Module):
    """Mean over batch and positions of (predicted - target)^2."""

    needs = ("map",)

    def __init__(self, options: MapOptions, model: nn.Module | None = None) -> None:
        super().__init__()
        self.options = options
        self.reads = list_target_modalities(options)

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """A scalar; needs `outputs.map`, (B, h, w)."""
        predicted = require_map(outputs, "map_mse")
        target = build_target_map(self.options, batch, (predicted.shape[1], predicted.shape[2]))
        return F.mse_loss(predicted, target)


class ContrastDepth(nn.Module):
    """Contrastive depth loss plus `mse` times the loss `map_mse`, the sum that CDCN is trained with.

    The mean over batch, positions and the eight neighbours of (contrast of predicted - contrast of target)^2,
    where a position's contrast with a neighbour is the neighbour's value less the position's.

    Raises:
        ConfigError: the model's map has fewer than 3 x 3 positions.
    """

    needs = ("map",)
    kernels: Tensor

    def __init__(self, options: ContrastDepthOptions, model: nn.Module | None = None) -> None:
        super().__init__()
        self.options = options
        self.reads = list_target_modalities(options)
        for module in () if model is None else model.modules():
            if isinstance(module, MapBackbone):
                check_map_size(module.map_size)
        kernels = torch.zeros(8, 9)
        kernels[torch.arange(8), NEIGHBOURS] = 1
        kernels[:, 4] = -1
        self.register_buffer("kernels", kernels.view(8, 1, 3, 3), persistent=False)

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        """A scalar; needs `outputs.map`, (B, h, w) of at least 3 x 3."""
        predicted = require_map(outputs, "contrast_depth")
        size = predicted.shape[1], predicted.shape[2]
        check_map_size(size)
        error = predicted - build_target_map(self.options, batch, size)
        # Contrasts are linear: the contrast of the difference is the difference of the two maps' contrasts.
        contrast = F.conv2d(error[:, None], self.kernels.to(error.dtype))  # (B, 8, h - 2, w - 2)
        return contrast.square().mean() + self.options.mse * error.square().mean()
