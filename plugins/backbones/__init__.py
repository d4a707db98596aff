"""Backbones: networks over one modality."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Backbone, hookimpl
from fas_plugins.backbones import options

HERE = "fas_plugins.backbones"
FEATHERNETS = "FeatherNets: Convolutional Neural Networks as Light as Feather (arXiv 1904.09290)"

CENTRAL_DIFFERENCE = (
    "Searching Central Difference Convolutional Networks for Face Anti-Spoofing (arXiv 2003.04092)"
)

BYTES = ((0.5, 0.5, 0.5), (128 / 255, 128 / 255, 128 / 255))
"""(byte - 127.5) / 128, as CDCN was published with."""


@hookimpl
def fas_backbones() -> Iterator[Backbone]:
    yield Backbone(
        name="feathernet_a",
        summary="0.35 M parameters, 80 M multiply-adds at 224; the smallest",
        target=f"{HERE}.feathernet:FeatherNetA",
        options=options.FeatherNetOptions,
        source=FEATHERNETS,
    )
    yield Backbone(
        name="feathernet_b",
        summary="FeatherNetA with a pooled shortcut around each halving block; 83 M multiply-adds",
        target=f"{HERE}.feathernet:FeatherNetB",
        options=options.FeatherNetOptions,
        source=FEATHERNETS,
    )
    yield from mobilelitenets()
    yield Backbone(
        name="mobilenetv2",
        summary="2.2 M parameters, 306 M multiply-adds at 224; with a width multiplier",
        target=f"{HERE}.mobilenetv2:MobileNetV2",
        options=options.MobileNetV2Options,
        source="MobileNetV2: Inverted Residuals and Linear Bottlenecks (arXiv 1801.04381)",
    )
    yield from fishnets()
    yield Backbone(
        name="cdcn",
        summary="Central difference convolutions that predict a depth map, 32 x 32 at 256; 2.2 M parameters",
        target=f"{HERE}.cdcn:CDCN",
        options=options.CDCNOptions,
        input_size=256,
        normalize=BYTES,
        source=CENTRAL_DIFFERENCE,
    )
    yield Backbone(
        name="cdcnpp",
        summary="CDCN++: CDCN with searched layers and attention over places",
        target=f"{HERE}.cdcn:CDCNpp",
        options=options.CDCNOptions,
        input_size=256,
        normalize=BYTES,
        source=CENTRAL_DIFFERENCE,
    )


def mobilelitenets() -> Iterator[Backbone]:
    """The family, by depth; `_se` with squeeze and excitation after each stage."""
    for name, summary in {
        "54": "0.57 M parameters, 271 M multiply-adds at 224",
        "54_se": "MobileLiteNet54 with squeeze and excitation",
        "102": "MobileLiteNet with ResNet-101's depth",
        "105_se": "MobileLiteNet with ResNet-101's depth, with squeeze and excitation",
        "153": "MobileLiteNet with ResNet-152's depth",
        "156_se": "MobileLiteNet with ResNet-152's depth, with squeeze and excitation",
    }.items():
        yield Backbone(
            name=f"mobilelitenet{name}",
            summary=summary,
            target=f"{HERE}.mobilelitenet:MobileLiteNet{name.replace('_se', 'SE')}",
            options=options.MobileLiteNetOptions,
            source="the FeatherNets repository (arXiv 1904.09290)",
        )


def fishnets() -> Iterator[Backbone]:
    """The family, by depth; costs in multiply-adds at 224."""
    for depth, size in {
        "99": "15.6 M parameters, 4.3 G",
        "150": "23.9 M, 6.4 G",
        "201": "43.5 M, 10.6 G",
    }.items():
        yield Backbone(
            name=f"fishnet{depth}",
            summary=f"{size} multiply-adds at 224; the heavy ones, with ImageNet weights",
            target=f"{HERE}.fishnet:FishNet{depth}",
            source="FishNet (arXiv 1901.03495)",
        )
