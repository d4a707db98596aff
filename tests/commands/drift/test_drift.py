"""Drift: figures as SciPy has them, false alarms as rare as promised, and changes are detected."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from scipy import stats

from fas_core.console import Console
from fas_core.errors import ConfigError, DataError
from fas_core.scores.ranked import Floats
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.drift.drift import find_drift
from fas_plugins.commands.drift.proportions import newcombe_interval, wilson_interval
from fas_plugins.commands.drift.result import Drift
from fas_plugins.commands.drift.tables import describe_drift, drift_tables

Make = Callable[..., ScoreTable]
Normal = Callable[..., Floats]
HALF = Threshold(0.5, "fixed:0.5", "given")
FEW = 199
FEWEST = 59
MANY = 5000


@pytest.mark.parametrize("digits", [1, 2, 9])
def test_distance_and_chance_are_scipys(digits: int, table: Make, normal: Normal) -> None:
    """With many ties, with some, with none."""
    old, new = normal(0, 150).round(digits), normal(1, 230, 0.57).round(digits)
    found = find_drift(table(old), table(new), HALF, replicates=FEW).shift
    assert found.distance == pytest.approx(stats.ks_2samp(old, new).statistic, abs=1e-12)
    assert found.exceeds == pytest.approx(stats.mannwhitneyu(new, old).statistic / (150 * 230), abs=1e-12)
    assert found.interval[0] < found.exceeds < found.interval[1]


def test_the_p_value_of_the_distance_is_scipys_exact_one(table: Make, normal: Normal) -> None:
    for seed in range(2):
        old, new = normal(seed, 12), normal(seed + 10, 15, 0.62)
        found = find_drift(table(old), table(new), None, replicates=MANY).shift
        assert found.p == pytest.approx(stats.ks_2samp(old, new, method="exact").pvalue, abs=0.02)


def test_the_p_value_of_a_rate_is_fishers(table: Make) -> None:
    """Where both files are as long, as extreme means as far on either side, as in Fisher's exact test."""
    old, new = np.repeat([0.2, 0.8], [3, 27]), np.repeat([0.2, 0.8], [11, 19])
    found = find_drift(table(old), table(new), HALF, replicates=MANY).changes["rejected"]
    expected = stats.fisher_exact([[3, 27], [11, 19]]).pvalue
    assert found.p == pytest.approx(expected, abs=0.01)


def alarms(pairs: list[tuple[ScoreTable, ScoreTable]], **options: Any) -> tuple[float, float]:
    """The share of pairs in which anything is clear, and in which the scores are."""
    found = [find_drift(*pair, HALF, significance=0.1, replicates=FEWEST, **options) for pair in pairs]
    return float(np.mean([one.detected for one in found])), float(np.mean([one.shift.clear for one in found]))


def test_false_alarms_are_as_rare_as_the_level_says(table: Make, normal: Normal) -> None:
    """Of 300 pairs of one distribution: no more than the level, and not far less, tests being alike."""
    pairs = [(table(normal(2 * seed, 60)), table(normal(2 * seed + 1, 80))) for seed in range(300)]
    anything, scores = alarms(pairs)
    assert 0.04 <= anything <= 0.1 + 2 * (0.1 * 0.9 / 300) ** 0.5
    assert 0.02 <= scores <= 0.05 + 2 * (0.05 * 0.95 / 300) ** 0.5


def test_frames_of_a_few_people_raise_no_more_false_alarms(people: Make) -> None:
    pairs = [(people(2 * seed, 8), people(2 * seed + 1, 10)) for seed in range(150)]
    by_people, _ = alarms(pairs)
    assert by_people <= 0.1 + 2 * (0.1 * 0.9 / 150) ** 0.5
    as_samples, _ = alarms(pairs[:20], by="sample")
    assert as_samples > 0.5


def test_intervals_of_the_change_hold_it(table: Make, normal: Normal, people: Make) -> None:
    """The true change is 0, and each of two intervals is one of 95 %."""

    def missed(old: ScoreTable, new: ScoreTable, replicates: int) -> bool:
        found = find_drift(old, new, HALF, significance=0.1, replicates=replicates)
        low, high = found.changes["rejected"].interval
        return not low <= 0 <= high

    samples = [missed(table(normal(2 * at)), table(normal(2 * at + 1)), 19) for at in range(150)]
    grouped = [missed(people(2 * at, 40, 3), people(2 * at + 1, 40, 3), FEW) for at in range(50)]
    assert 2 <= sum(samples) <= 14
    assert 1 <= sum(grouped) <= 7


def test_a_known_shift_is_found_and_its_size(table: Make, normal: Normal) -> None:
    """From normal(0.5, 0.2) to normal(0.4, 0.2): the chance is Phi(-0.1 / (0.2 * sqrt 2))."""
    found = find_drift(table(normal(0, 2000)), table(normal(1, 2000, 0.4)), HALF, replicates=FEW)
    low, high = found.shift.interval
    assert low < stats.norm.cdf(-0.1 / (0.2 * 2**0.5)) < high < 0.5
    rejected = found.changes["rejected"]
    expected = stats.norm.cdf(0.5) - 0.5
    assert rejected.interval[0] < expected < rejected.interval[1]
    assert (found.shift.clear, rejected.clear, found.detected) == (True, True, True)
    said = describe_drift(found)
    assert "scores are lower, a new one exceeds an old one with a chance of" in said
    assert "the rejection rate rose from" in said
    back = describe_drift(
        find_drift(table(normal(1, 2000, 0.4)), table(normal(0, 2000)), HALF, replicates=FEW)
    )
    assert "scores are higher" in back
    assert "the rejection rate fell from" in back


def test_rates_of_independent_samples_have_wilsons_and_newcombes_intervals(table: Make) -> None:
    old, new = np.repeat([0.2, 0.8], [8, 72]), np.repeat([0.2, 0.8], [30, 90])
    found = find_drift(table(old), table(new), HALF, significance=0.1, replicates=FEW)
    change = found.changes["rejected"]
    assert found.test_level == 0.05
    assert (change.old.count, change.old.total, change.old.rate) == (8, 80, 0.1)
    assert (change.old.interval, change.new.interval) == (wilson_interval(8, 80), wilson_interval(30, 120))
    assert change.interval == newcombe_interval((30, 120), (8, 80))
    assert change.difference == pytest.approx(0.15)


def test_a_score_at_the_threshold_is_accepted(table: Make) -> None:
    found = find_drift(table([0.5, 0.5, 0.4]), table([0.5, 0.6, 0.5]), HALF, replicates=FEW)
    assert (found.changes["rejected"].old.count, found.changes["rejected"].new.count) == (1, 0)


def test_frames_of_one_person_widen_the_intervals(people: Make) -> None:
    pair = people(0, 40), people(1, 40)
    grouped = find_drift(*pair, HALF, replicates=FEW)
    assert (grouped.by, grouped.old.groups, grouped.old.samples) == ("subject", 40, 400)
    alone = find_drift(*pair, HALF, by="sample", replicates=FEW)
    assert (alone.by, alone.old.groups) == ("sample", 400)
    for wide, narrow in (
        (grouped.shift.interval, alone.shift.interval),
        (grouped.changes["rejected"].interval, alone.changes["rejected"].interval),
    ):
        assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_what_is_independent(table: Make) -> None:
    with_both = table([0.1, 0.2, 0.3, 0.4], subject=list("aabb"), video=list("abcd"))
    videos = table([0.1, 0.2, 0.3, 0.4], video=list("aabb"))
    plain = table([0.1, 0.2, 0.3, 0.4])
    found = {
        find_drift(with_both, other, None, replicates=FEW).by: name
        for name, other in {"both": with_both, "videos": videos, "plain": plain}.items()
    }
    assert found == {"subject": "both", "video": "videos", "sample": "plain"}
    with pytest.raises(DataError, match="--by subject: of 4 of the 4 rows of june no subject is known"):
        find_drift(with_both, videos, None, names=("may", "june"), by="subject", replicates=FEW)


def test_failures_to_respond_are_a_rate_of_their_own(table: Make, normal: Normal) -> None:
    old, new = np.append(normal(0), [nan] * 4), np.append(normal(1), [nan] * 100)
    found = find_drift(table(old), table(new), HALF, replicates=FEW)
    assert list(found.changes) == ["rejected", "no_score"]
    change = found.changes["no_score"]
    assert (change.old.count, change.old.total, change.new.count, change.new.total) == (4, 404, 100, 500)
    assert change.clear
    assert (found.changes["rejected"].old.total, found.shift.clear) == (400, False)
    assert "the share without a score rose from 0.99 % to 20.00 %" in describe_drift(found)


def test_with_labels_both_error_rates(table: Make) -> None:
    rng = np.random.default_rng(0)
    periods = []
    for drop in (0.0, 0.3):
        labels = np.arange(300) % 3 > 0
        periods.append(table(rng.normal(0.2 + (0.6 - drop) * labels, 0.1), label=labels.astype(int).tolist()))
    found = find_drift(*periods, HALF, replicates=499)
    assert list(found.changes) == ["rejected", "apcer", "bpcer"]
    for period, kind in product((0, 1), ("apcer", "bpcer")):
        share = (found.changes[kind].old, found.changes[kind].new)[period]
        rates = periods[period].rates
        assert share.rate == float(rates.apcer(0.5) if kind == "apcer" else rates.bpcer(0.5))
    assert (found.changes["apcer"].clear, found.changes["bpcer"].clear) == (False, True)
    unlabelled = find_drift(periods[0], table(periods[1].scores), HALF, replicates=FEW)
    assert list(unlabelled.changes) == ["rejected"]


def test_without_a_threshold_the_scores_alone(table: Make, normal: Normal) -> None:
    found = find_drift(table(normal(0)), table(normal(1)), None, replicates=FEW)
    assert (found.changes, found.test_level) == ({}, 0.05)
    assert describe_drift(found) == "no shift seen at a significance level of 0.05"
    assert [drawn.title for drawn in drift_tables(found)][1:] == ["Shift of the scores, in %"]


def test_too_few_people_to_tell(people: Make) -> None:
    found = find_drift(people(0, 3), people(1, 3, mean=5), HALF, replicates=FEW)
    assert (found.decidable, found.detected, found.to_json()["drift"]) == (False, False, None)
    assert describe_drift(found).startswith("cannot tell: 3 and 3 subjects are too few")
    assert find_drift(people(0, 5), people(1, 5, mean=5), HALF, replicates=FEW).detected


def test_too_few_replicates_for_the_level(table: Make, normal: Normal) -> None:
    pair = table(normal(0)), table(normal(1))
    with pytest.raises(
        ConfigError, match=r"--replicates 199: .* 0.00495 for each of 2 changes: give at least 202"
    ):
        find_drift(*pair, HALF, significance=0.0099, replicates=199)
    assert find_drift(*pair, HALF, significance=0.01, replicates=199).test_level == 0.005
    with pytest.raises(ConfigError, match="give at least 59"):
        find_drift(table([*normal(0), nan]), pair[1], HALF, replicates=58)
    assert find_drift(table([*normal(0), nan]), pair[1], HALF, replicates=59)


def test_infinite_scores_are_compared(table: Make) -> None:
    found = find_drift(table([-inf, -inf, 0.4, inf]), table([-inf, 0.6, inf, inf]), HALF, replicates=FEW)
    assert (found.old.quantiles[0.5], found.new.quantiles[0.5]) == (-inf, 0.6)
    assert found.changes["rejected"].difference == -0.5
    Console().table(drift_tables(found)[0])


def test_a_file_without_scores(table: Make) -> None:
    with pytest.raises(DataError, match="new: none of its 2 rows has a score"):
        find_drift(table([0.5]), table([nan, nan]), HALF)


def test_the_same_every_time_and_strict_json(people: Make) -> None:
    def found() -> Drift:
        return find_drift(people(0, 20), people(1, 20), HALF, replicates=FEW)

    assert found() == found()
    document = json.loads(json.dumps(found().to_json(), allow_nan=False))
    assert document["rates"]["rejected"]["old"]["total"] == 200
    assert document["old"]["quantiles"].keys() == {"0.05", "0.25", "0.5", "0.75", "0.95"}


def separated(table: Make, count: int, live_score: float = 0.9) -> ScoreTable:
    """People with one live sample and one attack each."""
    scores, labels = [live_score, 0.1] * count, [1, 0] * count
    return table(scores, label=labels, subject=[str(row // 2) for row in range(2 * count)])


def test_no_error_of_20_people_has_an_exact_interval(table: Make) -> None:
    found = find_drift(separated(table, 20), separated(table, 40), HALF, replicates=FEW)
    share = found.changes["apcer"]
    level = found.test_level
    limits = [1 - (level / 2) ** (1 / count) for count in (20, 40)]
    assert share.old.interval == pytest.approx((0.0, limits[0]))
    assert share.new.interval == pytest.approx((0.0, limits[1]))
    assert share.interval == pytest.approx((-limits[0], limits[1]))
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["rates"]["apcer"]["old"]["exact"]


def test_a_rate_that_rose_from_zero_keeps_the_uncertainty_of_zero(table: Make) -> None:
    rng = np.random.default_rng(0)
    new = table(
        np.where(np.arange(80) % 2, np.where(rng.random(80) < 0.3, 0.9, 0.1), 0.9),
        label=[1, 0] * 40,
        subject=[str(row // 2) for row in range(80)],
    )
    change = find_drift(separated(table, 20), new, HALF, replicates=FEW).changes["apcer"]
    assert change.old.exact
    assert not change.new.exact
    below = np.hypot(change.new.rate - change.new.interval[0], change.old.interval[1])
    assert change.interval[0] == pytest.approx(change.new.rate - below)


def test_scores_that_all_rose_have_an_exact_chance(table: Make) -> None:
    old, new = (table([score] * 10, subject=[*map(str, range(10))]) for score in (0.2, 0.8))
    shift = find_drift(old, new, HALF, replicates=FEW).shift
    assert (shift.exceeds, shift.exact) == (1.0, True)
    assert shift.interval[0] < 0.9
    assert shift.interval[1] == 1.0


def test_the_tables_have_counts_and_name_exact_intervals(table: Make) -> None:
    found = find_drift(separated(table, 20), separated(table, 40), HALF, replicates=FEW)
    rates = drift_tables(found)[-1]
    assert ["  count", "0 of 20", "0 of 40", "", "", ""] in [list(row) for row in rates.rows]
    note = " ".join(rates.note.split())
    assert "exact (Clopper-Pearson over subjects)" in note
    assert "APCER (old and new)" in note


def test_a_clear_change_from_zero_gives_no_points_of_doubtful_sign(table: Make) -> None:
    """Of each of 20 people one or two of nine attacks are accepted, which were all rejected before."""
    subjects = [str(row // 9) for row in range(180)]
    accepted = [row % 9 < 1 + row // 9 % 2 for row in range(180)]
    old = table([0.1] * 180, label=[0] * 180, subject=subjects)
    new = table(np.where(accepted, 0.9, 0.1), label=[0] * 180, subject=subjects)
    found = find_drift(old, new, HALF, replicates=FEW)
    change = found.changes["apcer"]
    assert change.clear
    assert change.interval[0] < 0 < change.interval[1]
    assert describe_drift(found).endswith("the APCER rose from 0.00 % to 16.67 %")
