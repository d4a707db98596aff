"""Texture: statistics of early maps of another backbone.

Fine texture tells prints and screens from skin, and early layers see it; later ones know who the person is.
Statistics of colour texture: Face Spoofing Detection Using Colour Texture Analysis, arXiv 1511.06316.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from fas_core import Backbone, ConfigError
from fas_core.contracts import BlockBackbone, PretrainedBackbone, PublishedBackbone
from fas_core.registry import registry
from fas_plugins.backbones.options import Statistic, TextureOptions
from fas_plugins.backbones.standardize import StatisticsBackbone

MIN_DEVIATION = 1e-3
"""Least deviation of a channel, so that logarithms and ratios are finite."""

HISTOGRAM_RANGE = 2.0
"""Largest distance from the mean, in deviations, of the centres of a histogram's bins."""


def pool_statistics(x: Tensor, statistics: tuple[Statistic, ...], bins: int) -> Tensor:
    """Return statistics of each channel of a map: (B, C, h, w) -> (B, C x number of statistics).

    With m and s, a channel's mean and deviation (s at least 0.001), `relative_mean` is m / RMS of the
    channels' s, and `log_deviation` is log s - the mean of the channels' log s. The order is that of
    `statistics`, a channel after the other; a histogram is `bins` values a channel.
    """
    x = x.float()  # sums of squares overflow in half precision
    mean = x.mean(dim=(2, 3))
    centred = x - mean[:, :, None, None]
    variance = centred.square().mean(dim=(2, 3)).clamp(min=MIN_DEVIATION**2)
    deviation = variance.sqrt()
    values = []
    for statistic in statistics:
        if statistic == "mean":
            values.append(mean)
        elif statistic == "deviation":
            values.append(deviation)
        elif statistic == "maximum":
            values.append(x.amax(dim=(2, 3)))
        elif statistic == "relative_mean":
            values.append(mean / variance.mean(dim=1, keepdim=True).sqrt())
        elif statistic == "log_deviation":
            logarithm = variance.log() / 2
            values.append(logarithm - logarithm.mean(dim=1, keepdim=True))
        else:
            values.append(pool_histograms(centred / deviation[:, :, None, None], bins))
    return torch.cat(values, dim=1)


def pool_histograms(x: Tensor, bins: int) -> Tensor:
    """Return soft histograms of each channel: (B, C, h, w) -> (B, C x bins), bin after bin.

    A value counts for the two nearest bins, by its distance to their centres; one beyond them for the last.
    """
    step = 2 * HISTOGRAM_RANGE / (bins - 1)
    position = x.clamp(-HISTOGRAM_RANGE, HISTOGRAM_RANGE) / step + (bins - 1) / 2  # in [0, bins - 1]
    shares = [(1 - (position - index).abs()).clamp(min=0).mean(dim=(2, 3)) for index in range(bins)]
    return torch.cat(shares, dim=1)


class Texture(StatisticsBackbone[TextureOptions]):
    """Statistics as a map (B, E, 1, 1), standardised as embedding (B, E), and a linear layer for (B, K).

    E is the number of channels of the selected blocks times that of statistics: 160 by default. The input
    size is one that the network takes.
    """

    reduction = 1  # until the input size is known: then it is that

    def build_features(self, options: TextureOptions, in_channels: int, map_side: int) -> None:
        self.options, self.in_channels, self.reduction = options, in_channels, map_side
        network = self.build_network()
        blocks = cast(BlockBackbone, network).list_blocks()
        if max(options.blocks) >= len(blocks):
            name = options.network.name
            raise ConfigError(f"texture: {name} has blocks 0 to {len(blocks) - 1}: not {max(options.blocks)}")
        self.blocks = nn.ModuleList(blocks[: max(options.blocks) + 1])
        self.published = list_published_names(self, network)
        self.num_features = self.embedding_dim = self.count_features()

    def build_network(self) -> nn.Module:
        """Return the network, as far as its map, of which the blocks are taken.

        Raises:
            ConfigError: it cannot have this input size, or does not list its blocks.
        """
        choice, size = self.options.network, {"in_channels": self.in_channels, "input_size": self.reduction}
        network = registry().find(Backbone, choice.name).call(choice.options, **size, until="maps")
        if not isinstance(network, BlockBackbone):
            raise ConfigError(f"texture: backbone {choice.name!r} does not list its blocks: choose another")
        return cast(nn.Module, network)

    @torch.no_grad()
    def count_features(self) -> int:
        """Return E, from the shapes of the blocks' maps."""
        x, channels = torch.zeros(1, self.in_channels, self.reduction, self.reduction), 0
        for index, block in enumerate(self.blocks):
            x = block.eval()(x)
            block.train()
            channels += x.shape[1] if index in self.options.blocks else 0
        per_channel = sum(self.options.bins if name == "histogram" else 1 for name in self.options.statistics)
        return channels * per_channel

    def initialize_weights(self) -> None:
        """Keep the network's initial weights, and PyTorch's of the classifier."""

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, E, 1, 1), the statistics of the selected blocks in their order."""
        pooled = {}
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.options.blocks:
                pooled[index] = pool_statistics(x, self.options.statistics, self.options.bins)
        return torch.cat([pooled[index] for index in self.options.blocks], dim=1)[:, :, None, None]

    def published_name(self, name: str) -> str:
        """Return the published name of an entry of the network; others have none, which is empty."""
        return self.published.get(name, "")

    def find_weights(self, name: str) -> Path:
        """Return the checkpoint with published weights of the network."""
        with torch.device("meta"):
            network = self.build_network()
        if not isinstance(network, PretrainedBackbone):
            raise ConfigError(f"texture: {self.options.network.name} has no published weights {name!r}")
        return network.find_weights(name)


def list_published_names(texture: nn.Module, network: nn.Module) -> dict[str, str]:
    """Return `{name of an entry: its published name}` of the blocks that the two share."""
    names = {id(value): name for name, value in network.state_dict(keep_vars=True).items()}
    shared = {name: names[id(value)] for name, value in texture.state_dict(keep_vars=True).items()}
    if not isinstance(network, PublishedBackbone):
        return shared
    return {name: network.published_name(other) for name, other in shared.items()}
