"""Whether error rates differ between groups of samples, such as skin tones or devices, beyond chance.

A rate of each group is compared with that of all other groups, by a permutation test of people: samples of
one person resemble each other and would count as more evidence than they are. Under the hypothesis that the
group makes no difference, a person with samples of one group could as well have been of another, and of a
person with samples of several groups (one who was recorded by two devices) any part could as well have been
that group's. p is the share of such exchanges with at least the observed difference, two-sided, the observed
one included (Gail et al., On design considerations and randomization-based inference for community
intervention trials, Statistics in Medicine 15, 1996; Phipson and Smyth, Permutation p-values should never be
zero, Statistical Applications in Genetics and Molecular Biology 9, 2010). With one sample a person it is
Fisher's exact test, with one sample a person and group McNemar's.

p of all groups and rates are corrected together (Holm, A simple sequentially rejective multiple test
procedure, Scandinavian Journal of Statistics 6, 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isnan, lgamma, nan
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import evolve, frozen
from numpy.typing import NDArray

from fas_core.evaluation.bootstrap import choose_groups
from fas_core.evaluation.metrics import finite_or_none
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ATTACK, LIVE, ScoreTable

PERMUTATIONS = 9999
"""The smallest p is 1 / 10,000."""

CHUNK = 1 << 22
"""The most random numbers at a time."""

ALPHA = 0.05
"""Corrected p below which a difference is beyond chance."""

TOLERANCE = 1e-12
"""Differences that are equal but for rounding count as equal."""

Counts = NDArray[np.int64]


@frozen
class GroupDifference:
    """One error rate of one group, compared with that of all other groups.

    Args:
        group: value of the column that samples are grouped by.
        rate: `apcer`, of all attacks pooled, or `bpcer`.
        wrong: number of errors in the group.
        total: number of its samples with a verdict.
        people: number of its people, videos or samples.
        others: the rate of all other groups; NaN where they have no samples.
        p: of the permutation test; NaN where there is nothing to compare.
        corrected: p, corrected for the number of comparisons.
        least: the smallest corrected p that so many people could give.
    """

    group: str
    rate: str
    wrong: int
    total: int
    people: int
    others: float
    p: float
    least: float
    corrected: float = nan

    @property
    def value(self) -> float:
        """The rate; NaN without samples."""
        return self.wrong / self.total if self.total else nan

    @property
    def difference(self) -> float:
        """The rate minus that of all other groups."""
        return self.value - self.others

    @property
    def clear(self) -> bool:
        """Whether the difference is beyond chance."""
        return self.corrected < ALPHA

    @property
    def verdict(self) -> str:
        """In words: `higher`, `lower`, `no clear difference`, or `too few to tell`; empty without samples."""
        if isnan(self.p):
            return ""
        if self.clear:
            return "higher" if self.difference > 0 else "lower"
        return "too few to tell" if self.least >= ALPHA else "no clear difference"

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return {
            "group": self.group,
            "rate": self.rate,
            "wrong": self.wrong,
            "total": self.total,
            "clusters": self.people,
            "value": finite_or_none(self.value),
            "others": finite_or_none(self.others),
            "p": finite_or_none(self.p),
            "p_corrected": finite_or_none(self.corrected),
            "verdict": self.verdict,
        }


@frozen(eq=False)
class _Cells:
    """Errors of one class by cell: the samples of one person in one group. Arrays are (C,)."""

    person: Counts
    group: Counts
    wrong: Counts
    total: Counts

    @classmethod
    def of(cls, people: NDArray[np.intp], groups: NDArray[np.intp], wrong: NDArray[np.bool_]) -> _Cells:
        pairs, cell = np.unique(np.stack([people, groups]), axis=1, return_inverse=True)
        cell = cell.reshape(-1)  # NumPy 2.0 gives it the shape (1, N)
        size = pairs.shape[1]
        errors = np.bincount(cell, weights=wrong, minlength=size).astype(np.int64)
        return cls(pairs[0], pairs[1], errors, np.bincount(cell, minlength=size))


def compare_groups(
    scores: ScoreTable,
    values: pa.Array | pa.ChunkedArray,
    threshold: float,
    reject: RejectBand | None = None,
    *,
    permutations: int = PERMUTATIONS,
) -> list[GroupDifference]:
    """Compare APCER and BPCER of each group with those of all other groups; deterministic.

    Args:
        scores: (N,) samples; those without a verdict or a label are left out.
        values: (N,) the group of each sample; those with null are left out.
        threshold: accept as live when `score >= threshold`.
        reject: the uncertain scores around it, which have no verdict.
        permutations: number of random exchanges.
    """
    _, people, _ = choose_groups(scores)
    names = sorted(pc.unique(values).drop_null().to_pylist())
    groups = pc.fill_null(pc.index_in(values, pa.array(names, pa.string())), -1).to_numpy()
    low, high = (threshold, threshold) if reject is None else (reject.low, reject.high)
    numbers, labels = scores.scores, scores.labels
    accepted = numbers >= high
    decided = (accepted | (numbers < low)) & (groups >= 0)
    differences = []
    for rate, label, is_wrong in (("apcer", ATTACK, accepted), ("bpcer", LIVE, ~accepted)):
        rows = np.flatnonzero(decided & (labels == label))
        cells = _Cells.of(people[rows], groups[rows], is_wrong[rows])
        differences += [
            _compare_group(cells, code, name, rate, permutations) for code, name in enumerate(names)
        ]
    return _correct(differences)


def adjust_holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected by Holm's method, in their order.

    >>> [round(value, 3) for value in adjust_holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    corrected, highest = [nan] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        corrected[index] = highest
    return corrected


def _compare_group(cells: _Cells, code: int, name: str, rate: str, permutations: int) -> GroupDifference:
    own = cells.group == code
    wrong, total = int(cells.wrong[own].sum()), int(cells.total[own].sum())
    all_wrong, all_total = int(cells.wrong.sum()), int(cells.total.sum())
    people = len(np.unique(cells.person[own]))
    if not total or total == all_total:
        return GroupDifference(name, rate, wrong, total, people, nan, nan, nan)
    others = (all_wrong - wrong) / (all_total - total)
    drawn_wrong, drawn_total, share = _exchange(cells, own, permutations)
    drawn = drawn_wrong / drawn_total - (all_wrong - drawn_wrong) / (all_total - drawn_total)
    extreme = np.abs(drawn) >= abs(wrong / total - others) - TOLERANCE
    p = (1 + int(extreme.sum())) / (1 + permutations)
    least = max(share, 1 / (1 + permutations))
    return GroupDifference(name, rate, wrong, total, people, others, p, least)


def _exchange(cells: _Cells, own: NDArray[np.bool_], count: int) -> tuple[Counts, Counts, float]:
    """Draw what the group could as well have been: (its errors (count,), its samples (count,), 1 / ways).

    Of the people with samples of one group alone, as many as the group has are drawn from all of them. Of
    each person with samples of several groups, the group among them, one part is drawn.
    """
    generator = np.random.default_rng(0)
    sizes = np.bincount(cells.person)
    single = sizes[cells.person] == 1
    members, singles = int((single & own).sum()), int(single.sum())
    # People who are alike are drawn by their number: a million of them take no longer than a hundred.
    kinds, alike = np.unique(np.stack([cells.wrong, cells.total])[:, single], axis=1, return_counts=True)
    order = np.argsort(cells.person, kind="stable")
    several = cells.person[own & ~single]
    first, size = np.searchsorted(cells.person[order], several), sizes[several]
    drawn = np.zeros((2, count), np.int64)
    step = max(1, CHUNK // max(1, len(several), len(alike)))
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        rows = part.stop - start
        if members:
            numbers = generator.multivariate_hypergeometric(alike, members, rows, method="marginals")
            drawn[:, part] += kinds @ numbers.T
        if len(several):
            chosen = order[first + generator.integers(0, size, (rows, len(several)))]
            drawn[:, part] += cells.wrong[chosen].sum(axis=1), cells.total[chosen].sum(axis=1)
    log_ways = lgamma(singles + 1) - lgamma(members + 1) - lgamma(singles - members + 1)
    return drawn[0], drawn[1], exp(-log_ways - float(np.log(size).sum()))


def _correct(differences: Sequence[GroupDifference]) -> list[GroupDifference]:
    """Return the differences with p corrected for the number of comparisons; two groups are compared once."""
    tested = [item for item in differences if not isnan(item.p)]
    rates = [item.rate for item in tested]
    single = {rate for rate in rates if rates.count(rate) == 2}
    keys = [item.rate if item.rate in single else f"{item.rate} {item.group}" for item in tested]
    p = dict(zip(keys, (item.p for item in tested), strict=True))
    corrected = dict(zip(p, adjust_holm(list(p.values())), strict=True))
    by_item = iter(corrected[key] for key in keys)
    return [
        item if isnan(item.p) else evolve(item, corrected=next(by_item), least=min(1.0, item.least * len(p)))
        for item in differences
    ]
