"""Weights by person, session and class; the regression; the choice of C."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fas_core.errors import DataError
from fas_core.records.samples import SampleTable
from fas_core.training.logistic import GRID, balance_weights, fit_copies, fit_logistic, select_regularization


def table(labels: list[int], subjects: list[str], sessions: list[str]) -> SampleTable:
    names = [str(row) for row in range(len(labels))]
    columns = {"id": names, "rgb": names, "label": labels, "subject": subjects, "session": sessions}
    return SampleTable.of(columns, modalities=("rgb",), root="faces")


def test_every_person_session_and_class_weighs_the_same() -> None:
    samples = table([1, 1, 1, 1, 0, 0], list("aaabab"), list("112111"))
    weights = balance_weights(samples)
    assert weights.mean() == pytest.approx(1)
    # live: a in 1 (two samples), a in 2, b in 1: a third of three each; attacks: two people, 1.5 each
    assert weights == pytest.approx([0.5, 0.5, 1, 1, 1.5, 1.5])


def test_the_regression_is_that_of_standardised_features() -> None:
    rng = np.random.default_rng(0)
    live = rng.random(200) < 0.5
    features = (rng.normal(size=(200, 3)) + live[:, None]) * [1, 10, 0.1] + [5, -3, 0]
    features = np.column_stack([features, np.full(200, 7.0)]).astype(np.float32)  # one is constant
    weights = rng.uniform(0.5, 1.5, 200)
    fitted = fit_logistic(features, live, weights, 0.1)
    assert fitted.weights[3] == 0
    values = features[:, :3].astype(np.float64)
    mean = np.average(values, axis=0, weights=weights)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    reference = LogisticRegression(C=0.1, tol=1e-10).fit((values - mean) / scale, live, weights)
    expected = reference.decision_function((values - mean) / scale)
    np.testing.assert_allclose(fitted.logits(features), expected, atol=1e-4)
    probability = 1 / (1 + np.exp(-expected))
    loss = np.average(-np.log(np.where(live, probability, 1 - probability)), weights=weights)
    assert fitted.loss == pytest.approx(loss, abs=1e-5)


def test_equal_copies_change_nothing() -> None:
    rng = np.random.default_rng(1)
    live = np.arange(40) % 2 == 0
    features = (rng.normal(size=(40, 2)) + live[:, None]).astype(np.float32)
    one, three = (fit_copies([features] * count, live, np.ones(40), 0.01) for count in (1, 3))
    np.testing.assert_allclose(one.weights, three.weights, rtol=1e-3)


def test_c_is_that_of_the_lowest_error_on_people_and_sessions_held_out() -> None:
    """A feature tells the classes apart everywhere, many others only within each person and session."""
    rng = np.random.default_rng(2)
    people, sessions = list("abcdef"), list("12")
    rows = [(label, person, session) for person in people for session in sessions for label in (0, 1) * 4]
    labels, subjects, names = map(list, zip(*rows, strict=True))
    samples = table(labels, subjects, names)
    live = samples.labels == 1
    features = rng.normal(size=(len(rows), 30))
    features[:, 0] += 2.5 * live
    selection = select_regularization(
        [features.astype(np.float32)], samples, balance_weights(samples), seed=0
    )
    assert selection.by == "subject+session"
    assert set(selection.errors) == set(GRID)
    lowest = min(selection.errors.values())
    assert min(C for C, error in selection.errors.items() if error == lowest) == selection.C


def test_too_few_samples_to_choose_by() -> None:
    samples = table([1, 0], ["a", "b"], ["1", "1"])
    with pytest.raises(DataError, match=r"too few .* set it"):
        select_regularization([np.eye(2, dtype=np.float32)], samples, np.ones(2), seed=0)
