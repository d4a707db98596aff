"""Threshold policies: fitted on dev or given, and refused in one line when they cannot be."""

from __future__ import annotations

from math import nan

import pytest

from fas_core.errors import ConfigError, DataError
from fas_core.scores import ScoreTable
from fas_core.thresholds import Threshold, fit_threshold, parse_policy


def dev(scores: list[float], labels: list[int | None]) -> ScoreTable:
    return ScoreTable.of(
        {"id": [str(index) for index in range(len(scores))], "score": scores, "label": labels}
    )


def test_eer_is_fitted_on_dev() -> None:
    found = fit_threshold("eer", dev([0.9, 0.6, 0.2, 0.4], [1, 1, 0, 0]))
    assert found == Threshold(0.5, "eer", "dev")
    assert found.to_json() == {"value": 0.5, "policy": "eer", "source": "dev"}


def test_failures_to_respond_and_unknown_labels_do_not_move_it() -> None:
    table = dev([0.9, nan, 0.2, nan, 0.99], [1, 1, 0, 0, None])
    assert fit_threshold("eer", table).value == pytest.approx(0.55)


def test_fixed_needs_no_dev() -> None:
    assert fit_threshold("fixed:0.018", None) == Threshold(0.018, "fixed:0.018", "given")
    assert fit_threshold("fixed:-3", dev([0.5], [1])).value == -3.0


@pytest.mark.parametrize(
    "policy", ["", "fixed", "fixed:", "fixed:high", "fixed:nan", "fixed:inf", "eer:0.5", "acer"]
)
def test_unknown_policies(policy: str) -> None:
    with pytest.raises(ConfigError, match="must be 'eer'"):
        parse_policy(policy)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "there are no dev scores"),
        (dev([0.5, 0.6], [1, 1]), "of its 2 samples 2 live and 0 attacks have a score"),
        (dev([0.5, 0.6], [None, None]), "of its 2 samples 0 live and 0 attacks have a score"),
        (dev([nan, 0.6], [1, 0]), "of its 2 samples 0 live and 1 attacks have a score"),
    ],
)
def test_a_fitted_policy_needs_both_classes(table: ScoreTable | None, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        fit_threshold("eer", table)
    assert "--threshold fixed:0.5" in str(caught.value)
    assert "\n" not in str(caught.value)
