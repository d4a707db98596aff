"""Fusion by central difference convolutions: parameters and cost over FeatherNetB branches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import nn

Build = Callable[[str], nn.Module]
CountFlops = Callable[[nn.Module], int]


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameters_are_the_published_ones(build_branches: Build) -> None:
    assert count_parameters(build_branches("cdcn")) == 3_858_206


def test_its_cost_is_the_published_one(build_branches: Build, count_flops: CountFlops) -> None:
    flops = count_flops(build_branches("cdcn")) - count_flops(build_branches("concat_linear"))
    assert flops / 1e6 == pytest.approx(137.4, abs=0.05)  # published: 137.34
