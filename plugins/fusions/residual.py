"""ResNet's basic blocks. Deep Residual Learning for Image Recognition, arXiv 1512.03385."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from fas_plugins.backbones.blocks import build_conv_bn


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut: (B, C, H, W) -> (B, out, H / stride, W / stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = build_conv_bn(in_channels, out_channels, 3, stride)
        self.conv2, self.bn2 = build_conv_bn(out_channels, out_channels, 3)
        self.relu = nn.ReLU(inplace=True)
        unchanged = stride == 1 and in_channels == out_channels
        self.shortcut = (
            nn.Identity()
            if unchanged
            else nn.Sequential(*build_conv_bn(in_channels, out_channels, 1, stride))
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y)) + self.shortcut(x)
        out: Tensor = self.relu(y)
        return out


def build_residual_stages(in_channels: int, widths: Iterable[int]) -> nn.Sequential:
    """Return a stage of two basic blocks for each width; its first block halves the map."""
    blocks = []
    for width in widths:
        blocks += [BasicBlock(in_channels, width, stride=2), BasicBlock(width, width)]
        in_channels = width
    return nn.Sequential(*blocks)
