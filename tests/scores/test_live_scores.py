"""The summary of a model's scores: hand-worked medians, and where it has seen no scores."""

from __future__ import annotations

import numpy as np
import pytest

from fas_core.scores.calibration import LEVELS, SMALLEST, from_scale, to_scale
from fas_core.scores.live_scores import group_live_scores, summarize_scores
from fas_core.scores.table import ScoreTable


def build_scores(rows: list[tuple[float, int, str | None, str | None]]) -> ScoreTable:
    scores, labels, subjects, sessions = zip(*rows, strict=True)
    ids = [str(row) for row in range(len(rows))]
    return ScoreTable.of(
        {"id": ids, "score": scores, "label": labels, "subject": subjects, "session": sessions}
    )


DEV = [(4.0, 1, "a", "2"), (6.0, 1, "a", "2"), (9.0, 1, "b", "2"), (-1.0, 0, "a", "2"), (-3.0, 0, "b", "2")]
TRAIN = [(8.0, 1, "a", "1"), (10.0, 1, "b", "1"), (2.0, 1, "b", "0")]


def test_medians_of_people_and_of_people_in_sessions() -> None:
    reference = summarize_scores(build_scores(DEV), build_scores(TRAIN))
    assert reference is not None
    assert (reference.people, reference.center) == (2, 7)  # of 5 and 9
    assert reference.deviation == pytest.approx(np.std([5, 9, 8, 10, 2], ddof=1), rel=1e-6)
    assert (reference.medians, reference.sessions, reference.logit) == (5, 2, False)
    assert (reference.live[0], reference.live[-1], reference.attack[0]) == (4, 9, -3)
    assert reference.samples == 2
    assert reference.supports_blend


def test_without_subjects_there_are_quantiles_only() -> None:
    reference = summarize_scores(build_scores([(0.9, 1, None, None), (0.1, 0, "a", None)]))
    assert reference is not None
    assert (reference.people, reference.supports_blend, reference.logit) == (0, False, True)
    assert group_live_scores(build_scores([(0.9, 1, None, None), (0.8, 1, "a", None)])) == []


def test_one_class_or_infinite_scores_have_no_summary() -> None:
    assert summarize_scores(build_scores(DEV[:3])) is None
    assert summarize_scores(build_scores([*DEV, (np.inf, 1, "a", "2")])) is None


def test_rates_of_dev_are_interpolated() -> None:
    rows = [(score, label, None, None) for label in (0, 1) for score in np.linspace(label, label + 2, 1001)]
    reference = summarize_scores(build_scores(rows))
    assert reference is not None
    assert len(reference.live) == len(LEVELS)
    assert reference.bpcer(1.5) == pytest.approx(0.25, abs=1e-3)
    assert reference.apcer(1.5) == pytest.approx(0.25, abs=1e-3)
    assert (reference.apcer(5), reference.bpcer(-5)) == (0, 0)


def test_scores_between_the_classes_or_beyond_both_are_unseen() -> None:
    live, attack = np.linspace(0.8, 0.9, 300), np.linspace(0.1, 0.2, 300)
    rows = [(score, label, None, None) for label, scores in ((1, live), (0, attack)) for score in scores]
    reference = summarize_scores(build_scores(rows))
    assert reference is not None
    assert reference.is_unseen(np.array([0.05, 0.15, 0.5, 0.85, 0.95])).tolist() == [
        True,
        False,
        True,
        False,
        True,
    ]
    few = summarize_scores(build_scores(rows[:10] + rows[-10:]))
    assert few is not None
    assert not few.is_unseen(np.array([0.5])).any()


def test_probabilities_at_the_ends_have_finite_logits() -> None:
    ends = to_scale(np.array([0.0, 0.5, 1.0]), True)
    assert ends.tolist() == pytest.approx([np.log(SMALLEST), 0, -np.log(SMALLEST)], rel=1e-5)
    assert from_scale(0.0, True) == 0.5
    assert from_scale(3.0, False) == 3.0
