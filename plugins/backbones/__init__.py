"""The backbones: networks over one modality each."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Backbone, hookimpl
from fas_plugins.backbones import options

PACKAGE = "fas_plugins.backbones"
FEATHERNETS = "FeatherNets: Convolutional Neural Networks as Light as Feather (arXiv 1904.09290)"

CENTRAL_DIFFERENCE = (
    "Searching Central Difference Convolutional Networks for Face Anti-Spoofing (arXiv 2003.04092)"
)

CDCN_NORMALIZE = ((0.5, 0.5, 0.5), (128 / 255, 128 / 255, 128 / 255))
"""Mean and standard deviation: (byte - 127.5) / 128, the normalization that CDCN was published with."""

EFFICIENTNET_NORMALIZE = ((127 / 255,) * 3, (128 / 255,) * 3)
"""(byte - 127) / 128, as EfficientNet-Lite was trained. With ImageNet's mean and deviation, usual in PyTorch,
inputs of its first batch norm have six times the variance that it was trained with."""


@hookimpl
def fas_backbones() -> Iterator[Backbone]:
    yield Backbone(
        name="feathernet_a",
        summary="0.35 M parameters, 80 M multiply-adds at 224; the smallest",
        target=f"{PACKAGE}.feathernet:FeatherNetA",
        options=options.FeatherNetOptions,
        source=FEATHERNETS,
    )
    yield Backbone(
        name="feathernet_b",
        summary="FeatherNetA with a pooled shortcut around each halving block; 83 M multiply-adds",
        target=f"{PACKAGE}.feathernet:FeatherNetB",
        options=options.FeatherNetOptions,
        source=FEATHERNETS,
    )
    yield from list_mobilelitenets()
    yield Backbone(
        name="mobilenetv2",
        summary="2.2 M parameters, 306 M multiply-adds at 224; with a width multiplier",
        target=f"{PACKAGE}.mobilenetv2:MobileNetV2",
        options=options.MobileNetV2Options,
        source="MobileNetV2: Inverted Residuals and Linear Bottlenecks (arXiv 1801.04381)",
    )
    yield Backbone(
        name="efficientnet_lite0",
        summary="3.4 M parameters, 391 M multiply-adds at 224; ImageNet weights: pretrained=imagenet",
        target=f"{PACKAGE}.efficientnet:EfficientNetLite0",
        options=options.EfficientNetOptions,
        normalize=EFFICIENTNET_NORMALIZE,
        source="EfficientNet, the Lite variant (arXiv 1905.11946)",
    )
    yield from list_fishnets()
    yield Backbone(
        name="texture",
        summary="Statistics of early maps of any backbone, standardised; 4 k to 50 k parameters",
        target=f"{PACKAGE}.texture:Texture",
        options=options.TextureOptions,
        normalize=EFFICIENTNET_NORMALIZE,
        source="after Face Spoofing Detection Using Colour Texture Analysis (arXiv 1511.06316)",
    )
    yield Backbone(
        name="color_lbp",
        summary="Histograms of local binary patterns of YCbCr, HSV and grey, standardised; 2 k parameters",
        target=f"{PACKAGE}.color_lbp:ColorLBP",
        input_size=256,
        reads_pixels=True,
        source="Face Spoofing Detection Using Colour Texture Analysis (arXiv 1511.06316)",
    )
    yield Backbone(
        name="cdcn",
        summary="Central difference convolutions that predict a depth map, 32 x 32 at 256; 2.2 M parameters",
        target=f"{PACKAGE}.cdcn:CDCN",
        options=options.CDCNOptions,
        input_size=256,
        normalize=CDCN_NORMALIZE,
        source=CENTRAL_DIFFERENCE,
    )
    yield Backbone(
        name="cdcnpp",
        summary="CDCN++: CDCN with searched layers and spatial attention",
        target=f"{PACKAGE}.cdcn:CDCNpp",
        options=options.CDCNOptions,
        input_size=256,
        normalize=CDCN_NORMALIZE,
        source=CENTRAL_DIFFERENCE,
    )


def list_mobilelitenets() -> Iterator[Backbone]:
    """Yield the MobileLiteNets by depth; `_se` has squeeze and excitation after each stage."""
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
            target=f"{PACKAGE}.mobilelitenet:MobileLiteNet{name.replace('_se', 'SE')}",
            options=options.MobileLiteNetOptions,
            source="the FeatherNets repository (arXiv 1904.09290)",
        )


def list_fishnets() -> Iterator[Backbone]:
    """Yield the FishNets by depth; costs are multiply-adds at 224."""
    for depth, size in {
        "99": "15.6 M parameters, 4.3 G",
        "150": "23.9 M, 6.4 G",
        "201": "43.5 M, 10.6 G",
    }.items():
        yield Backbone(
            name=f"fishnet{depth}",
            summary=f"{size} multiply-adds at 224; large, with ImageNet weights",
            target=f"{PACKAGE}.fishnet:FishNet{depth}",
            source="FishNet (arXiv 1901.03495)",
        )
