"""Central difference convolution.

Searching Central Difference Convolutional Networks for Face Anti-Spoofing, arXiv 2003.04092, eq. 4:
y(p) = sum_n w(n) x(p + n) - theta x(p) sum_n w(n), over the positions n of the kernel. The second term is
a 1 x 1 convolution at the kernel's centre, so one convolution computes both.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F


class CentralDifferenceConv2d(nn.Conv2d):
    """(B, in_channels, H, W) -> (B, out_channels, H, W) by a 3 x 3 kernel, without bias.

    Args:
        theta: weight of the central difference, in [0, 1]; 0 is an ordinary convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, theta: float = 0.7) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3, padding=1, bias=False)
        self.theta = theta

    def fold_kernel(self) -> Tensor:
        """Return the kernel less theta times its sum at the centre: (out_channels, in_channels, 3, 3)."""
        total = self.weight.sum(dim=(2, 3), keepdim=True)
        return self.weight - self.theta * F.pad(total, (1, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.fold_kernel(), padding=1)


def build_difference_layers(channels: Iterable[int], theta: float) -> list[nn.Module]:
    """Return central difference convolutions through these channel counts, each with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for in_channels, out_channels in pairwise(channels):
        layers += [
            CentralDifferenceConv2d(in_channels, out_channels, theta),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        ]
    return layers
