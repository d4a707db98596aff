"""Exact intervals for rates that are the same in every bootstrap replicate.

No error among 20 people does not prove a rate of 0, but no replicate of them has an error either. Such a rate
gets the interval of Clopper and Pearson, The use of confidence or fiducial limits illustrated in the case of
the binomial, Biometrika 26, 1934. It counts groups (people, videos or samples: what the bootstrap draws), not
their samples: no error of n groups gives the upper limit 1 - 0.025 ** (1 / n) at 95 %, which from 9 groups on
is above the rule of three, 3 / n. Other rates than 0 and 1 are rounded to whole groups, away from the
estimate.

- APCER counts the groups with attacks, that of a PAI species the groups with attacks of that species, and
  BPCER the groups with live samples.
- Acc, ACER and HTER are weighted means of APCER and BPCER. Their limits are the same means of both rates'
  limits as soon as one of these is exact: wider than needed, never too narrow.
- Other rates (EER, AUC, TPR@FPR, ...) depend on both classes and count the fewer of both classes' groups. For
  the AUC this is exact: that many pairs of a live and an attack group have no group in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, isnan, lgamma, log, log1p, nan

import numpy as np
from attrs import frozen

Interval = tuple[float, float]

STEPS = 60
"""Bisection steps: the limits are exact to the last digits of a float."""

ROUNDING = 1e-9
"""How far a number of groups may be from a whole number by floating-point error."""

MEANS = {"acc": "apcer", "acer": "apcer", "hter": "apcer", "acer_max": "apcer_max"}
"""Metrics that are means of an APCER, the value here, and BPCER; for `acc` of their complements."""


@frozen
class GroupCounts:
    """How many groups have live samples, attacks, and attacks of each PAI species."""

    live: int
    attack: int
    species: Mapping[str, int]

    def behind(self, key: str, worst: str | None) -> int:
        """Return the number of groups that a rate is a share of; `worst` is the species of `apcer_max`."""
        if key == "apcer":
            return self.attack
        if key == "apcer_max":
            return self.species.get(worst or "", 0)
        if key == "bpcer":
            return self.live
        by_species = "max" in key or key.removeprefix("bpcer").isdigit()
        fewest = min(filter(None, self.species.values()), default=0)
        return min(self.live, fewest if by_species else self.attack)


def clopper_pearson(count: int, total: int, level: float = 0.95) -> Interval:
    """Return the exact interval of `count / total`, in [0, 1]; NaN where `total` is 0.

    >>> [round(limit, 4) for limit in clopper_pearson(0, 20)]
    [0.0, 0.1684]
    """
    if not total:
        return nan, nan
    tail = (1 - level) / 2
    return _lower_limit(count, total, tail), 1 - _lower_limit(total - count, total, tail)


def share_interval(rate: float, groups: int, level: float = 0.95) -> Interval:
    """Return the exact interval of a share of groups, rounded to whole groups; NaN where it is no share."""
    if not (0 <= rate <= 1 and groups):
        return nan, nan
    low, _ = clopper_pearson(floor(rate * groups + ROUNDING), groups, level)
    _, high = clopper_pearson(ceil(rate * groups - ROUNDING), groups, level)
    return low, high


def difference_interval(difference: float, groups: int, level: float = 0.95) -> Interval:
    """Return the interval of the difference of two shares of the same groups, in [-1, 1].

    It is the share of groups that speak for the first minus that of groups that speak for the second. Where
    no group differs, each of these shares is at most the upper limit of no group in `groups`.
    """
    for_first = share_interval(max(difference, 0.0), groups, level)
    for_second = share_interval(max(-difference, 0.0), groups, level)
    return for_first[0] - for_second[1], for_first[1] - for_second[0]


def combine_limits(
    bounds: Mapping[str, Interval], exact: Mapping[str, Interval], attack_share: float, *, offset: float
) -> dict[str, Interval]:
    """Return the intervals of the metrics of `MEANS` that have an exact APCER or BPCER.

    Args:
        bounds: intervals of all metrics, exact ones included.
        exact: the exact intervals.
        attack_share: share of attacks among the samples, the weight of APCER in `acc`.
        offset: 1 for rates, 0 for differences: `acc` is this minus the mean of the error rates.
    """
    combined: dict[str, Interval] = {}
    for key, apcer in MEANS.items():
        if key not in bounds or isnan(bounds[key][0]) or not {apcer, "bpcer"} & exact.keys():
            continue
        weight = attack_share if key == "acc" else 0.5
        parts = [(share, bounds[name]) for name, share in ((apcer, weight), ("bpcer", 1 - weight)) if share]
        low, high = (sum(share * limits[end] for share, limits in parts) for end in (0, 1))
        combined[key] = (offset - high, offset - low) if key == "acc" else (low, high)
    return combined


def _lower_limit(count: int, total: int, tail: float) -> float:
    """The rate at which `count` or more of `total` have the probability `tail`; 0 for no count."""
    if count == 0:
        return 0.0
    if count == total:
        return float(tail ** (1 / total))
    hits = np.arange(count, total + 1)
    choose = np.array([lgamma(k + 1) + lgamma(total - k + 1) for k in hits.tolist()])
    log_choices = lgamma(total + 1) - choose
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        rate = (low + high) / 2
        probability = np.exp(log_choices + hits * log(rate) + (total - hits) * log1p(-rate)).sum()
        low, high = (rate, high) if probability < tail else (low, rate)
    return (low + high) / 2
