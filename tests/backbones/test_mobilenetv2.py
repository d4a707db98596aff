"""MobileNetV2's width and sizes. Parity at width 1 is in tests/parity."""

from __future__ import annotations

import pytest
import torch

from fas_core import ConfigError
from fas_plugins.backbones.mobilenetv2 import MobileNetV2
from fas_plugins.backbones.options import MobileNetV2Options


@pytest.mark.parametrize(("width", "first", "last"), [(0.5, 16, 1280), (1.0, 32, 1280), (1.4, 44, 1792)])
def test_width_multiplies_channels_and_never_narrows_the_last(width: float, first: int, last: int) -> None:
    network = MobileNetV2(MobileNetV2Options(width=width), input_size=64).eval()
    assert network.features[0][0].out_channels == first
    assert (network.num_features, network.embedding_dim) == (last, last)
    assert network.forward_features(torch.zeros(1, 3, 64, 64)).shape == (1, last, 2, 2)


def test_dropout_precedes_the_classifier() -> None:
    network = MobileNetV2(MobileNetV2Options(dropout=0.5), input_size=64, num_classes=1).train()
    network.classifier.weight.data.fill_(1)
    assert abs(network.forward_head(torch.ones(1, 1280)).item() - 1280) < 400  # 10 standard deviations
    assert network.forward_head(torch.ones(1, 1280)).item() % 2 == 0  # each is dropped or doubled
    assert network.eval().forward_head(torch.ones(1, 1280)).item() == 1280


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="MobileNetV2: input size 100 is not a multiple of 32: use 96 or 128"
    ):
        MobileNetV2(MobileNetV2Options(), input_size=100)
