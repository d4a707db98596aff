"""The size check that all backbones share."""

from __future__ import annotations

import pytest

from fas_core import ConfigError
from fas_plugins.backbones.base import check_input_size


@pytest.mark.parametrize("size", [32, 64, 224, 256])
def test_multiples_pass(size: int) -> None:
    check_input_size("net", size, multiple=32)


@pytest.mark.parametrize(
    ("size", "nearest"), [(100, "96 or 128"), (225, "224 or 256"), (31, "32"), (0, "32"), (-5, "32")]
)
def test_the_nearest_possible_sizes_are_named(size: int, nearest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_input_size("net", size, multiple=32)
    assert str(caught.value) == f"net: input size {size} is not a multiple of 32: use {nearest}"
