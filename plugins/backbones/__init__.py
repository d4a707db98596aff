"""Backbones: networks over one modality."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Backbone, hookimpl
from fas_plugins.backbones.options import FeatherNetOptions

FEATHERNETS = "FeatherNets: Convolutional Neural Networks as Light as Feather (arXiv 1904.09290)"


@hookimpl
def fas_backbones() -> Iterator[Backbone]:
    yield Backbone(
        name="feathernet_a",
        summary="0.35 M parameters, 80 M multiply-adds at 224; the smallest",
        target="fas_plugins.backbones.feathernet:FeatherNetA",
        options=FeatherNetOptions,
        source=FEATHERNETS,
    )
    yield Backbone(
        name="feathernet_b",
        summary="FeatherNetA with a pooled shortcut around each halving block; 83 M multiply-adds",
        target="fas_plugins.backbones.feathernet:FeatherNetB",
        options=FeatherNetOptions,
        source=FEATHERNETS,
    )
