"""Exact intervals, compared with scipy, and the rules for rates that depend on both classes."""

from __future__ import annotations

from math import isnan

import pytest

from fas_core.evaluation.exact import (
    GroupCounts,
    clopper_pearson,
    combine_limits,
    difference_interval,
    share_interval,
)

NONE_OF_20 = 1 - 0.025 ** (1 / 20)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize(
    ("count", "total"), [(0, 1), (0, 20), (1, 2), (3, 20), (19, 20), (20, 20), (7, 3000)]
)
def test_limits_are_those_of_scipy(count: int, total: int, level: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    interval = stats.binomtest(count, total).proportion_ci(level, method="exact")
    assert clopper_pearson(count, total, level) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_no_error_is_above_the_rule_of_three() -> None:
    for total in (9, 20, 1000):
        low, high = clopper_pearson(0, total)
        assert low == 0
        assert high == pytest.approx(1 - 0.025 ** (1 / total))
        assert high > 3 / total


def test_without_groups_nothing_is_known() -> None:
    assert all(map(isnan, clopper_pearson(0, 0)))
    assert all(map(isnan, share_interval(0.0, 0)))
    assert all(map(isnan, share_interval(float("nan"), 20)))
    assert all(map(isnan, share_interval(95.0, 20)))


def test_a_share_is_rounded_to_whole_groups_away_from_itself() -> None:
    assert share_interval(0.1, 20) == clopper_pearson(2, 20)
    assert share_interval(0.3, 1) == (0.0, 1.0)
    assert share_interval(0.12, 20) == (clopper_pearson(2, 20)[0], clopper_pearson(3, 20)[1])


def test_a_difference_of_zero_may_be_either_way() -> None:
    assert difference_interval(0.0, 20) == pytest.approx((-NONE_OF_20, NONE_OF_20))
    low, high = difference_interval(1.0, 20)
    assert (low, high) == pytest.approx((1 - 2 * NONE_OF_20, 1.0))
    assert difference_interval(-1.0, 20) == pytest.approx((-high, -low))


@pytest.mark.parametrize(
    ("key", "count"),
    [
        ("apcer", 9),
        ("apcer_max", 4),
        ("bpcer", 6),
        ("eer", 6),
        ("auc", 6),
        ("tpr@fpr=1e-3", 6),
        ("bpcer20", 4),
        ("bpcer@apcer_max=3e-2", 4),
        ("apcer_max@bpcer=1e-2", 4),
        ("apcer@bpcer=1e-2", 6),
    ],
)
def test_groups_behind_a_rate(key: str, count: int) -> None:
    groups = GroupCounts(live=6, attack=9, species={"print": 5, "mask_3d": 4, "replay": 0})
    assert groups.behind(key, "mask_3d") == count


def test_means_combine_the_limits_of_their_rates() -> None:
    bounds = {
        **{"apcer": (0.0, 0.2), "apcer_max": (0.1, 0.4), "bpcer": (0.02, 0.1)},
        **dict.fromkeys(("acc", "acer", "hter", "acer_max"), (0.5, 0.5)),
    }
    combined = combine_limits(bounds, {"apcer": (0.0, 0.2)}, 0.75, offset=1.0)
    assert combined == {
        "acc": pytest.approx((1 - 0.75 * 0.2 - 0.25 * 0.1, 1 - 0.25 * 0.02)),
        "acer": pytest.approx((0.01, 0.15)),
        "hter": pytest.approx((0.01, 0.15)),
    }
    assert combine_limits(bounds, {}, 0.75, offset=1.0) == {}
