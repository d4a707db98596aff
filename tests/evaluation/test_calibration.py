"""Thresholds from live photos of a site: hand-worked ranks, weights by person, the gate of the blend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb, log

import numpy as np
import pytest

from fas_core import DataError
from fas_core.evaluation.calibration import (
    GATE,
    PRIOR_PEOPLE,
    CalibrationPlan,
    calibrate,
    describe_promise,
    find_quantile,
    find_rank,
    share_below,
)
from fas_core.scores.calibration import LEVELS, ScoreReference
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, parse_policy

SHIPPED = Threshold(0.5, "eer", "dev")
QUANTILES = tuple(LEVELS)


def build_reference(
    center: float = 1.0, deviation: float = 0.5, people: int = 4, **fields: int
) -> ScoreReference:
    """Return a reference of scores that are no probabilities, 0 to 1 in both classes."""
    values = {"medians": 8, "sessions": 2} | fields
    return ScoreReference(QUANTILES, QUANTILES, 1000, False, people, center, deviation, **values)


def build_site(people: Mapping[str | None, Sequence[float]]) -> ScoreTable:
    rows = [(name, score) for name, scores in people.items() for score in scores]
    return ScoreTable.of(
        {
            "id": [str(row) for row in range(len(rows))],
            "score": [score for _, score in rows],
            "subject": [name for name, _ in rows],
            "label": [1] * len(rows),
        }
    )


def test_the_rank_is_the_largest_with_the_confidence() -> None:
    for count in (10, 58, 59, 93, 200):
        rank, confidence = find_rank(count, 0.05, 0.95)
        tails = [
            sum(comb(count, hits) * 0.05**hits * 0.95 ** (count - hits) for hits in range(lowest, count + 1))
            for lowest in range(1, count + 1)
        ]
        assert rank == sum(tail >= 0.95 for tail in tails)
        assert confidence == (pytest.approx(tails[rank - 1]) if rank else 0)
    assert CalibrationPlan().people_needed == 59
    assert CalibrationPlan(bpcer=0.1, confidence=0.9).people_needed == 22


def test_the_promise_holds_for_people_drawn_at_random() -> None:
    rng, plan = np.random.default_rng(0), CalibrationPlan(0.1, 0.9, "conformal")
    kept = 0
    for _ in range(300):
        site = build_site({str(person): [rng.random()] for person in range(40)})
        kept += calibrate(site, None, None, plan, date="2026-11-29").threshold.value <= 0.1
    assert 0.86 <= kept / 300 <= 0.99


def test_every_person_weighs_the_same() -> None:
    people = [np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.5])]
    assert share_below(people, 0.35) == pytest.approx(3 / 8)
    assert find_quantile(people, 0.25) == 0.3
    assert find_quantile(people, 0.24) == 0.2
    assert find_quantile(people, 0) == 0.1
    assert find_quantile([np.array([0.2, 0.2, 0.2, 0.7])], 0.5) == 0.2  # ties are accepted together


def test_few_people_move_the_threshold_by_their_number() -> None:
    site = build_site({"a": [1.1, 0.9, 1.0], "b": [1.0, 1.2, 1.1]})
    result = calibrate(site, SHIPPED, build_reference(), CalibrationPlan(), date="2026-11-29")
    weight = 2 / (2 + PRIOR_PEOPLE)
    assert result.rule == "blend"
    assert result.threshold.value == pytest.approx((1 - weight) * 0.5 + weight * 0.9)
    assert result.threshold.source == "2 people, 2026-11-29"
    assert (result.shipped, result.confidence, result.people) == (SHIPPED, None, 2)


@pytest.mark.parametrize(("errors", "moved"), [(GATE - 0.01, False), (GATE + 0.01, True)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_site_of_another_world_has_its_own_threshold(errors: float, moved: bool, sign: int) -> None:
    standard_error = 0.5 * (1 / 1 + 1 / 4) ** 0.5
    median = 1.0 + sign * errors * standard_error
    site = build_site({"a": [median - 0.1, median, median + 0.1]})
    value = calibrate(site, SHIPPED, build_reference(), CalibrationPlan(), date="").threshold.value
    weight = 1 if moved else 1 / (1 + PRIOR_PEOPLE)
    assert value == pytest.approx((1 - weight) * 0.5 + weight * (median - 0.1))


def test_probabilities_are_blended_as_logits() -> None:
    reference = ScoreReference(QUANTILES, QUANTILES, 1000, True, 3, log(9), 1.0, 6, 2)
    site = build_site({"a": [0.8, 0.9, 0.95]})
    value = calibrate(site, SHIPPED, reference, CalibrationPlan(), date="").threshold.value
    assert log(value / (1 - value)) == pytest.approx(log(4) / (1 + PRIOR_PEOPLE))


def test_unknown_people_count_as_one_and_promise_nothing() -> None:
    site = build_site({None: list(np.linspace(0.9, 1.1, 100))})
    result = calibrate(site, SHIPPED, build_reference(), CalibrationPlan(), date="2026-11-29")
    assert (result.rule, result.people, result.photos) == ("blend", 0, 100)
    assert result.threshold.source == "100 photos, 2026-11-29"
    notes = describe_promise(result, build_reference(), CalibrationPlan())
    assert any("people are not known" in note for note in notes)


@pytest.mark.parametrize(
    ("sessions", "text"), [(1, "trained on one session"), (0, "sessions that are not known")]
)
def test_a_single_session_promises_nothing(sessions: int, text: str) -> None:
    reference = build_reference(sessions=sessions)
    result = calibrate(build_site({"a": [1.0]}), SHIPPED, reference, CalibrationPlan(), date="")
    notes = " ".join(describe_promise(result, reference, CalibrationPlan()))
    assert text in notes
    assert "promises nothing" in notes
    two = build_reference(sessions=2)
    assert "promises nothing" not in " ".join(describe_promise(result, two, CalibrationPlan()))


def test_without_live_scores_nothing_is_calibrated() -> None:
    site = build_site({"a": [np.nan]})
    with pytest.raises(DataError, match="no live photo has a score"):
        calibrate(site, SHIPPED, None, CalibrationPlan(), date="")


def test_the_policy_of_a_calibrated_threshold_cannot_be_fitted() -> None:
    result = calibrate(build_site({"a": [1.0]}), None, None, CalibrationPlan(), date="2026-11-29")
    assert result.threshold.calibrated
    assert result.rule == "quantile"
    with pytest.raises(Exception, match="must be eer"):
        parse_policy(result.threshold.policy)
