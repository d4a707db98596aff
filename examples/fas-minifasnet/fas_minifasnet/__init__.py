"""The networks of Silent-Face-Anti-Spoofing for fas. This module holds descriptors only."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Backbone, ScaledCrop, hookimpl
from fas_minifasnet.options import MiniFasNetV1SEOptions, MiniFasNetV2Options

SOURCE = "Silent-Face-Anti-Spoofing (github.com/minivision-ai/Silent-Face-Anti-Spoofing, Apache-2.0)"
BYTES = ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))
"""Mean and standard deviation that leave pixels between 0 and 255, as the published program does."""


@hookimpl
def fas_backbones() -> Iterator[Backbone]:
    for name, target, options, scale in (
        ("minifasnet_v2", "MiniFasNetV2", MiniFasNetV2Options, 2.7),
        ("minifasnet_v1se", "MiniFasNetV1SE", MiniFasNetV1SEOptions, 4.0),
    ):
        yield Backbone(
            name=name,
            summary=f"MiniFASNet {target.removeprefix('MiniFasNet')}, at {scale:g} times the face's box",
            target=f"fas_minifasnet.networks:{target}",
            options=options,
            source=SOURCE,
            input_size=80,
            normalize=BYTES,
            channels="bgr",
            crop=ScaledCrop(scale, interpolation="linear"),
            num_classes=3,
            live_class=1,
        )
