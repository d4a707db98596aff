"""The size check that all backbones share."""

from __future__ import annotations

import pytest

from fas_core import ConfigError
from fas_plugins.backbones.base import check_input_size


@pytest.mark.parametrize("size", [32, 64, 224, 256])
def test_multiples_pass(size: int) -> None:
    check_input_size("net", size, multiple=32)


@pytest.mark.parametrize(
    ("size", "rule"),
    [
        (100, "is not a multiple of 32: use 96 or 128"),
        (225, "is not a multiple of 32: use 224 or 256"),
        (31, "is too small: use 32 or a larger multiple of 32"),
        (0, "is too small: use 32 or a larger multiple of 32"),
        (-32, "is too small: use 32 or a larger multiple of 32"),
    ],
)
def test_the_nearest_possible_sizes_are_named(size: int, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_input_size("net", size, multiple=32)
    assert str(caught.value) == f"net: input size {size} {rule}"


@pytest.mark.parametrize("size", [32, 96, 100, 127])
def test_a_least_size_is_kept(size: int) -> None:
    with pytest.raises(ConfigError, match=f"input size {size} is too small: use 128"):
        check_input_size("net", size, multiple=32, smallest=100)
    check_input_size("net", 128, multiple=32, smallest=100)
