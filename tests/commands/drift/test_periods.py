"""The rows of two periods: groups, rates and bootstrap draws, worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from math import nan

import numpy as np
import pytest

from fas_core.errors import DataError
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.drift.periods import (
    BootstrapDraws,
    PeriodRows,
    build_permutation_test,
    choose_unit,
    find_comparable_rates,
)

Make = Callable[..., ScoreTable]


@pytest.fixture
def rows(table: Make) -> PeriodRows:
    """Three people: `a` has a rejected live sample, `b` an accepted attack, `c` a row without a score."""
    columns = {"label": [1, 1, 0, 0, 1], "subject": list("aabbc")}
    return PeriodRows.of(table([0.4, 0.6, 0.7, 0.1, nan], **columns), "subject", 0.5)


def test_each_rate_counts_its_own_rows_of_each_group(rows: PeriodRows) -> None:
    assert (rows.groups.tolist(), rows.count) == ([0, 0, 1, 1, 2], 3)
    totals, hits = rows.count_by_group(("rejected", "no_score", "apcer", "bpcer"))
    assert totals.tolist() == [[2, 2, 0, 2], [2, 2, 2, 0], [0, 1, 0, 0]]
    assert hits.tolist() == [[1, 0, 0, 1], [1, 0, 1, 0], [0, 1, 0, 0]]


def test_no_rates_are_no_columns(rows: PeriodRows) -> None:
    assert [counts.shape for counts in rows.count_by_group(())] == [(3, 0), (3, 0)]


def test_groups_follow_the_scores(rows: PeriodRows) -> None:
    assert rows.groups_by_score().tolist() == [1, 0, 0, 1]


def test_a_score_at_the_threshold_is_not_rejected(table: Make) -> None:
    rates = PeriodRows.of(table([0.5, 0.4]), "sample", 0.5).rates
    assert rates["rejected"].hits.tolist() == [False, True]
    assert set(PeriodRows.of(table([0.5, 0.4]), "sample", None).rates) == {"no_score"}


def test_rates_that_both_periods_have_are_compared(rows: PeriodRows, table: Make) -> None:
    unlabelled = PeriodRows.of(table([0.2, 0.8]), "sample", 0.5)
    assert find_comparable_rates(rows, rows) == ("rejected", "no_score", "apcer", "bpcer")
    assert find_comparable_rates(rows, unlabelled) == ("rejected", "no_score")
    assert find_comparable_rates(unlabelled, unlabelled) == ("rejected",)
    live = PeriodRows.of(table([0.2, 0.8], label=[1, 1]), "sample", 0.5)
    assert find_comparable_rates(rows, live) == ("rejected", "no_score", "bpcer")
    assert find_comparable_rates(unlabelled, PeriodRows.of(table([0.2]), "sample", None)) == ()


def test_people_come_before_videos_and_videos_before_samples(table: Make) -> None:
    everything = table([0.1, 0.2], subject=["a", "b"], video=["v", "w"])
    videos = table([0.1, 0.2], video=["v", "w"])
    assert choose_unit({"old": everything, "new": everything}, None) == "subject"
    assert choose_unit({"old": everything, "new": videos}, None) == "video"
    assert choose_unit({"old": everything, "new": table([0.1])}, None) == "sample"
    assert choose_unit({"old": everything, "new": videos}, "sample") == "sample"
    with pytest.raises(DataError, match="--by subject: of 2 of the 2 rows of new no subject is known"):
        choose_unit({"old": everything, "new": videos}, "subject")


def test_the_permutation_test_has_the_old_groups_first(rows: PeriodRows, table: Make) -> None:
    new = PeriodRows.of(table([0.3, 0.9], subject=["a", "d"]), "subject", 0.5)
    test = build_permutation_test(rows, new, ("rejected",))
    assert test.observed.tolist() == [[False, False, False, True, True]]
    assert test.groups.tolist() == [1, 3, 0, 0, 1, 4]
    assert test.totals[:, 0].tolist() == [2, 2, 0, 1, 1]
    assert test.compute_differences(test.observed)[0, 1] == 1 / 2 - 2 / 4


def test_draws_vary_around_the_observed_rates(rows: PeriodRows, table: Make) -> None:
    new = PeriodRows.of(table(np.linspace(0, 1, 40)), "sample", 0.5)
    drawn = BootstrapDraws.of(rows, new, ("rejected", "no_score"), 400, 0)
    assert drawn.rates.shape == (400, 2, 2)
    assert np.nanmean(drawn.rates[:, 1], axis=0) == pytest.approx([0.5, 0], abs=0.02)
    assert np.nanmean(drawn.rates[:, 0, 0]) == 0.5  # each person with scores has one of two rejected
    again = BootstrapDraws.of(rows, new, ("rejected", "no_score"), 400, 0)
    assert np.array_equal(drawn.exceeds, again.exceeds, equal_nan=True)


def test_uncertain_scores_are_a_rate_of_their_own(table: Make) -> None:
    # Uncertain from 0.4 up to 0.6: of the live 0.4, 0.9, 0.1 the first, of the attacks 0.5, 0.7 the first.
    band = RejectBand(0.4, 0.6, "0.4:0.6", "given")
    scores = table([0.4, 0.9, 0.1, 0.5, 0.7, nan], label=[1, 1, 1, 0, 0, 1])
    rates = PeriodRows.of(scores, "sample", 0.5, band).rates
    counts = {name: (int(rate.hits.sum()), int(rate.total.sum())) for name, rate in rates.items()}
    assert counts == {
        "no_score": (1, 6),
        "rejected": (1, 5),
        "uncertain": (2, 5),
        "apcer": (1, 1),
        "bpcer": (1, 2),
    }
