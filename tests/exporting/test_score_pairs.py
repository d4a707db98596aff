"""Scores of a model and of its file: differences, changed decisions and ties."""

from __future__ import annotations

import numpy as np
import pytest

from fas_core.errors import ModelError
from fas_core.exporting.score_pairs import ScorePairs

IDS = ["a.png", "b.png", "c.png"]


def pair(
    model: list[float], file: list[float], subsets: dict[tuple[str, ...], list[float]] | None = None
) -> ScorePairs:
    differences = {names: np.array(values) for names, values in (subsets or {}).items()}
    return ScorePairs(IDS[: len(model)], np.array(model), np.array(file), differences)


def test_rounding_at_the_threshold_is_a_tie() -> None:
    pairs = pair([0.5, 0.5 + 6e-8, 0.7], [0.5 - 6e-8, 0.5, 0.7])
    assert pairs.changed(0.5 + 5e-8).tolist() == [False, True, False]
    assert pairs.changed(0.5).tolist() == [True, False, False]
    assert pairs.ties(0.5, 1e-4).tolist() == [True, False, False]
    assert pairs.ties(0.5, 1e-9).tolist() == [True, False, False]  # exactly at it


def test_a_tie_is_no_wider_than_the_tolerance() -> None:
    pairs = pair([0.5002, 0.9], [0.4998, 0.9])
    assert pairs.ties(0.5, 1e-3).tolist() == [True, False]
    assert pairs.ties(0.5, 1e-4).tolist() == [False, False]


@pytest.mark.parametrize("tolerance", [0.02, None])
def test_a_tie_is_at_most_a_thousandth(tolerance: float | None) -> None:
    pairs = pair([0.5005, 0.505], [0.495, 0.495])
    assert pairs.changed(0.5).tolist() == [True, True]
    assert pairs.ties(0.5, tolerance).tolist() == [True, False]


def test_the_message_names_difference_tolerance_and_sample() -> None:
    pairs = pair([0.1, 0.2, 0.3], [0.1, 0.25, 0.3])
    pairs.check(0.06, "m.onnx: not written", "on 3 samples of dev")
    with pytest.raises(ModelError) as refusal:
        pairs.check(0.01, "m.onnx: not written", "on 3 samples of dev")
    assert refusal.value.message == (
        "m.onnx: not written: its scores and the model's differ by up to 0.05 on 3 samples of dev, more than "
        "the 0.01 allowed: b.png has 0.2 in the model and 0.25 in the file"
    )


def test_changed_decisions_are_described_by_the_one_farthest_from_the_threshold() -> None:
    pairs = pair([0.5, 0.51, 0.6], [0.49, 0.48, 0.61])
    assert pairs.describe_changed(0.5, None) == (
        "decisions changed at the threshold 0.5: 1, e.g. b.png has 0.51 in the model and 0.48 in the file; "
        "scores differ by up to 0.03"
    )
    assert pairs.describe_changed(0.5, 0.1).endswith("differ by up to 0.03, 0.1 allowed")


def test_a_subset_of_the_modalities_is_named() -> None:
    pairs = pair([0.1], [0.1], {("rgb", "ir"): [0.0, 0.0], ("rgb",): [0.0, 0.4]})
    assert pairs.largest == 0.4
    with pytest.raises(ModelError, match=r"up to 0\.4 on samples with rgb only, more than the 0\.1 allowed"):
        pairs.check(0.1, "m", "on 1 samples")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_score_may_be_infinite_or_undefined(value: float) -> None:
    for pairs in (pair([0.1, 0.2], [0.1, value]), pair([0.1], [0.1], {("rgb",): [0.0, value, 0.0]})):
        assert not np.isfinite(pairs.largest)
        with pytest.raises(ModelError, match=r"differ by up to (nan|inf)"):
            pairs.check(None, "m", "on 2 samples of dev")
