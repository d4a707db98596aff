"""Confidence intervals of a proportion, and of the difference of two, for independent samples.

Both are based on Wilson's score interval, which holds for small counts, for 0 and for all. E. B. Wilson,
Probable inference, the law of succession, and statistical inference, Journal of the American Statistical
Association 22, 1927. R. G. Newcombe, Interval estimation for the difference between independent proportions:
comparison of eleven methods, Statistics in Medicine 17, 1998, method 10. Other limits of two rates are
combined in the same way: G. Y. Zou and A. Donner, Construction of confidence limits about effect measures: a
general approach, Statistics in Medicine 27, 2008.
"""

from __future__ import annotations

from math import nan, sqrt
from statistics import NormalDist

Interval = tuple[float, float]


def wilson_interval(count: int, total: int, level: float = 0.95) -> Interval:
    """Return the interval of `count / total`, in [0, 1]; NaN where `total` is 0.

    >>> [round(end, 4) for end in wilson_interval(15, 148)]
    [0.0624, 0.1605]
    """
    if not total:
        return nan, nan
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, weight = count / total, z * z / total
    center = rate + weight / 2
    half = z * sqrt(rate * (1 - rate) / total + weight / (4 * total))
    # The ends are exactly 0 for no count and 1 for all: rounding would leave them beside it.
    low = 0.0 if count == 0 else (center - half) / (1 + weight)
    high = 1.0 if count == total else (center + half) / (1 + weight)
    return low, high


def newcombe_interval(first: tuple[int, int], second: tuple[int, int], level: float = 0.95) -> Interval:
    """Return the interval of rate `first` minus rate `second`, in [-1, 1]; NaN where a total is 0.

    Args:
        first, second: `(count, total)`.
        level: of the interval.

    >>> [round(end, 4) for end in newcombe_interval((56, 70), (48, 80))]
    [0.0524, 0.3339]
    """
    if not (first[1] and second[1]):
        return nan, nan
    intervals = wilson_interval(*first, level), wilson_interval(*second, level)
    return combine_intervals(first[0] / first[1], intervals[0], second[0] / second[1], intervals[1])


def combine_intervals(first: float, interval: Interval, second: float, second_interval: Interval) -> Interval:
    """Return the interval of rate `first` minus rate `second`, in [-1, 1], from the intervals of both."""
    (low, high), (second_low, second_high) = interval, second_interval
    below = sqrt((first - low) ** 2 + (second_high - second) ** 2)
    above = sqrt((high - first) ** 2 + (second - second_low) ** 2)
    return first - second - below, first - second + above
