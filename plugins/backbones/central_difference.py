"""Central difference convolution.

Searching Central Difference Convolutional Networks for Face Anti-Spoofing, arXiv 2003.04092, eq. 4:
y(p) = sum_n w(n) x(p + n) - theta x(p) sum_n w(n), over the places n of the kernel. The second term is a
convolution by one number per pair of channels at the kernel's centre, so one convolution does both.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class CentralDifferenceConv2d(nn.Conv2d):
    """(B, in_channels, H, W) -> (B, out_channels, H, W) by a 3 x 3 kernel, without bias.

    Args:
        theta: share of the difference, in [0, 1]; 0 is an ordinary convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, theta: float = 0.7) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3, padding=1, bias=False)
        self.theta = theta

    def folded(self) -> Tensor:
        """The kernel with theta times its sum taken from its centre: (out_channels, in_channels, 3, 3)."""
        total = self.weight.sum(dim=(2, 3), keepdim=True)
        return self.weight - self.theta * F.pad(total, (1, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.folded(), padding=1)
