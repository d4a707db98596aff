"""Histograms of local binary patterns of colour channels, computed in the graph from bytes.

Patterns: Ojala et al., Multiresolution Gray-Scale and Rotation Invariant Texture Classification with Local
Binary Patterns, TPAMI 2002. Colour channels: Face Spoofing Detection Using Colour Texture Analysis,
arXiv 1511.06316. All values that are compared are whole numbers below 2^24, so every runtime gets the same.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from fas_core import NoOptions
from fas_plugins.backbones.standardize import StatisticsBackbone

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""(down, right) of a pattern's bits, the lowest first, in units of the radius: around a square."""

RADII = (1, 2)
PATTERNS = 59
"""Of the 256 patterns, 58 are uniform: at most two neighbouring bits differ. All others count together."""


def list_uniform_patterns() -> list[int]:
    """Return the column of a histogram for each of the 256 patterns: uniform ones in order, then the rest.

    >>> columns = list_uniform_patterns()
    >>> columns[0], columns[0b11], columns[0b101], columns[255]
    (0, 3, 58, 57)
    """
    uniform = [code for code in range(256) if bin(code ^ ((code >> 1) | ((code & 1) << 7))).count("1") <= 2]
    return [uniform.index(code) if code in uniform else len(uniform) for code in range(256)]


def convert_to_ycbcr(rgb: Tensor) -> Tensor:
    """Convert bytes to JPEG's Y, Cb and Cr as OpenCV does: (B, 3, H, W) -> the same shape, in [0, 255].

    Weights are multiples of 2^-14, so that sums are exact and the division is by a power of two.
    """
    red, green, blue = rgb.unbind(dim=1)
    y = ((4899 * red + 9617 * green + 1868 * blue + 8192) / 16384).floor()
    cb = ((9241 * (blue - y) + 8192) / 16384).floor() + 128
    cr = ((11682 * (red - y) + 8192) / 16384).floor() + 128
    return torch.stack([y, cb.clamp(max=255), cr.clamp(max=255)], dim=1)


def convert_to_hsv(rgb: Tensor) -> Tensor:
    """Convert bytes to hue in [0, 180), saturation and value in [0, 255]: (B, 3, H, W) -> the same shape."""
    red, green, blue = rgb.unbind(dim=1)
    value, least = rgb.amax(dim=1), rgb.amin(dim=1)
    chroma = value - least
    saturation = divide_rounded(255 * chroma, value)
    sixth = torch.where(value == red, green - blue, torch.where(value == green, blue - red, red - green))
    start = torch.where(value == red, 0.0, torch.where(value == green, 60.0, 120.0))
    hue = start + divide_rounded(30 * sixth, chroma)
    hue = torch.where(hue < 0, hue + 180, hue)
    return torch.stack([hue, saturation, value], dim=1)


def divide_rounded(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Return the quotient of whole numbers, rounded, halves up; 0 of a denominator of 0, in [0, 255].

    Quotients below a whole number and a half are at least 1 / 510 below: the margin makes up for the
    rounding of the division.
    """
    divisor = 2 * denominator.clamp(min=1)
    return ((2 * numerator + denominator) / divisor + 1 / 2048).floor()


def compute_patterns(x: Tensor, radius: int) -> Tensor:
    """Return each position's pattern: (B, C, H, W) -> (B, C, H - 2 radius, W - 2 radius), whole, in [0, 255].

    A bit is set where the neighbour is at least the centre.
    """
    height, width = x.shape[2] - 2 * radius, x.shape[3] - 2 * radius
    centre = x[:, :, radius : radius + height, radius : radius + width]
    patterns = torch.zeros_like(centre)
    for bit, (down, right) in enumerate(NEIGHBOURS):
        top, left = radius * (1 + down), radius * (1 + right)
        neighbour = x[:, :, top : top + height, left : left + width]
        patterns = patterns + 2**bit * (neighbour >= centre).to(x.dtype)
    return patterns


class ColorLBP(StatisticsBackbone[NoOptions]):
    """Histograms as a map (B, E, 1, 1), standardised as embedding (B, E), and a linear layer for (B, K).

    Y, Cb, Cr, H, S and V of the image at half its size, then Y at its full size, each with both radii: 14
    histograms of 59 patterns, E is 826. Inputs are pixels in [0, 1] of RGB images, of several if
    `in_channels` is a multiple of 3; otherwise each channel is a grey image.
    """

    reduction = 2
    smallest_map = 8
    published_size = 256

    def build_features(self, options: NoOptions, in_channels: int, map_side: int) -> None:
        self.reduction = 2 * map_side
        images = in_channels // 3 if in_channels % 3 == 0 else in_channels
        self.is_grey = in_channels % 3 != 0
        self.num_features = self.embedding_dim = images * 7 * len(RADII) * PATTERNS
        self.register_buffer("columns", torch.tensor(list_uniform_patterns()), persistent=False)

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, E, 1, 1), shares relative to those of an even histogram."""
        x = (x.float() * 255).round().clamp(0, 255)
        x = x.repeat_interleave(3, dim=1) if self.is_grey else x
        images = torch.unflatten(x, 1, (-1, 3)).flatten(0, 1)
        half = (F.avg_pool2d(images, 2) + 0.5).floor()
        colour = torch.cat([convert_to_ycbcr(half), convert_to_hsv(half)], dim=1)
        maps = (colour, convert_to_ycbcr(images)[:, :1])
        histograms = [self.count_patterns(channels, radius) for channels in maps for radius in RADII]
        return torch.cat(histograms, dim=1).reshape(-1, self.num_features)[:, :, None, None]

    def count_patterns(self, x: Tensor, radius: int) -> Tensor:
        """(B, C, H, W) -> (B, C x 59): the histogram of each channel's patterns, of mean 1."""
        index = cast(Tensor, self.columns)[compute_patterns(x, radius).long()].flatten(2)  # (B, C, N)
        counts = x.new_zeros(*x.shape[:2], PATTERNS).scatter_add(
            2, index, torch.ones_like(index, dtype=x.dtype)
        )
        return (counts * (PATTERNS / index.shape[2])).flatten(1)
