"""Building blocks of the light networks.

Inverted residual: MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv 1801.04381.
Squeeze and excitation: Squeeze-and-Excitation Networks, arXiv 1709.01507.
The modules' order inside their `Sequential` is that of published checkpoints.
"""

from __future__ import annotations

import math

from torch import Tensor, nn


def conv_bn(
    in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """A convolution that keeps the side (over `stride`), without bias, and its batch norm."""
    return [
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels),
    ]


def relu6() -> nn.Module:
    """The clipped ReLU of the MobileNets."""
    return nn.ReLU6(inplace=True)


class InvertedResidual(nn.Module):
    """Expand, filter depth-wise, project: (B, C, H, W) -> (B, out, H / stride, W / stride).

    Args:
        expansion: width of the depth-wise convolution over that of the input; 1 has no expanding convolution.
        shortcut: what is added to the result; by default the input itself where shapes allow, else nothing.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        expansion: int,
        shortcut: nn.Module | None = None,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        expand = [*conv_bn(in_channels, hidden), relu6()] if expansion > 1 else []
        self.conv = nn.Sequential(
            *expand,
            *conv_bn(hidden, hidden, 3, stride, groups=hidden),
            relu6(),
            *conv_bn(hidden, out_channels),
        )
        if shortcut is None and stride == 1 and in_channels == out_channels:
            shortcut = nn.Identity()
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y if self.downsample is None else y + self.downsample(x)


class SqueezeExcite(nn.Module):
    """Weigh each channel by what all channels' means say of it: (B, C, H, W) -> the same shape.

    Args:
        reduction: C over the width of the hidden layer.
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        hidden = channels // reduction
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.fc(x.mean(dim=(2, 3)))  # (B, C)
        return x * weights[:, :, None, None]


def initialise(network: nn.Module) -> None:
    """Start weights as the published light networks do.

    Convolutions: normal, variance 2 / (kernel area x output channels), whatever their groups;
    linear layers: normal, standard deviation 0.01; biases zero; batch norms the identity.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = math.prod(module.kernel_size) * module.out_channels
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
