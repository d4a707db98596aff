"""Intervals of a proportion, and of the difference of two, where the counted are independent.

Both are Wilson's score interval and what follows from it: they hold for small counts too, of none and of
all. E. B. Wilson, Probable inference, the law of succession, and statistical inference, Journal of the
American Statistical Association 22, 1927. R. G. Newcombe, Interval estimation for the difference between
independent proportions: comparison of eleven methods, Statistics in Medicine 17, 1998, method 10.
"""

from __future__ import annotations

from math import nan, sqrt
from statistics import NormalDist

Interval = tuple[float, float]


def wilson(count: int, total: int, level: float = 0.95) -> Interval:
    """The interval of `count / total`, in [0, 1]; NaN of none.

    >>> [round(end, 4) for end in wilson(15, 148)]
    [0.0624, 0.1605]
    """
    if not total:
        return nan, nan
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, weight = count / total, z * z / total
    middle = share + weight / 2
    half = z * sqrt(share * (1 - share) / total + weight / (4 * total))
    # Of none the lower end is 0, of all the upper one 1: rounding must not leave them beside it.
    low = 0.0 if count == 0 else (middle - half) / (1 + weight)
    high = 1.0 if count == total else (middle + half) / (1 + weight)
    return low, high


def newcombe(first: tuple[int, int], second: tuple[int, int], level: float = 0.95) -> Interval:
    """The interval of first minus second, each `(count, total)`, in [-1, 1]; NaN where either is of none.

    >>> [round(end, 4) for end in newcombe((56, 70), (48, 80))]
    [0.0524, 0.3339]
    """
    if not (first[1] and second[1]):
        return nan, nan
    one, other = first[0] / first[1], second[0] / second[1]
    (low_one, high_one), (low_other, high_other) = wilson(*first, level), wilson(*second, level)
    below = sqrt((one - low_one) ** 2 + (high_other - other) ** 2)
    above = sqrt((high_one - one) ** 2 + (other - low_other) ** 2)
    return one - other - below, one - other + above
