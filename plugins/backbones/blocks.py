"""Building blocks of the light networks.

Inverted residual: MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv 1801.04381.
Squeeze and excitation: Squeeze-and-Excitation Networks, arXiv 1709.01507.
The order of modules inside each `Sequential` is that of the published checkpoints.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from fas_plugins.backbones.expansion import expand


def build_conv_bn(
    in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Return a padded convolution without bias, whose output side is H / stride, and its batch norm."""
    return [
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels),
    ]


def scale_channels(channels: int, width: float) -> int:
    """Return a multiple of 8 near channels x width, as the MobileNets: never less than 90 % of it, nor 8.

    >>> [scale_channels(channels, 0.5) for channels in (16, 32, 48, 64)]
    [8, 16, 24, 32]
    """
    wanted = channels * width
    nearest = max(8, int(wanted + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * wanted else nearest + 8


def build_relu6() -> nn.Module:
    """Return the clipped ReLU of the MobileNets."""
    return nn.ReLU6(inplace=True)


class InvertedResidual(nn.Module):
    """Expand, filter depth-wise, project: (B, C, H, W) -> (B, out, H / stride, W / stride).

    Args:
        expansion: channels of the depth-wise convolution / channels of the input; at 1 there is no expanding
            convolution.
        shortcut: a module whose output is added to the result; by default the identity where the shapes
            allow it, else there is no shortcut.
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
        self.expands = expansion > 1
        self.conv = nn.Sequential(
            *([*build_conv_bn(in_channels, hidden), build_relu6()] if self.expands else []),
            *build_conv_bn(hidden, hidden, 3, stride, groups=hidden),
            build_relu6(),
            *build_conv_bn(hidden, out_channels),
        )
        if shortcut is None and stride == 1 and in_channels == out_channels:
            shortcut = nn.Identity()
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y, layers = x, list(self.conv)
        if self.expands:
            conv, norm, relu6, *layers = layers
            y = expand(cast(nn.Conv2d, conv), cast(nn.BatchNorm2d, norm), relu6, y)
        for layer in layers:
            y = layer(y)
        return y if self.downsample is None else y + self.downsample(x)


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate computed from all channels' means: (B, C, H, W) -> the same shape.

    Args:
        reduction: C / width of the hidden layer.
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
