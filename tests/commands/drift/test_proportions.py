"""Intervals of proportions, against the values in the papers."""

from __future__ import annotations

from math import isnan

import pytest

from fas_plugins.commands.drift.proportions import newcombe_interval, wilson_interval


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(count: int, total: int, low: float, high: float) -> None:
    """Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3."""
    assert wilson_interval(count, total) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(total - count, total) == pytest.approx((1 - high, 1 - low), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_as_published(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe, Interval estimation for the difference between independent proportions, 1998, table II."""
    assert newcombe_interval(first, second) == pytest.approx((low, high), abs=5e-5)
    assert newcombe_interval(second, first) == pytest.approx((-high, -low), abs=5e-5)


def test_wilson_solves_its_equation() -> None:
    """At each end the share is as far from the true proportion as `z` of the latter's standard errors."""
    for level, z in ((0.95, 1.959964), (0.99, 2.575829)):
        for end in wilson_interval(12, 40, level):
            assert abs(0.3 - end) == pytest.approx(z * (end * (1 - end) / 40) ** 0.5, rel=1e-6)


def test_without_samples_there_is_no_interval() -> None:
    assert all(map(isnan, wilson_interval(0, 0)))
    assert all(map(isnan, newcombe_interval((0, 0), (1, 2))))
    assert all(map(isnan, newcombe_interval((1, 2), (0, 0))))
