"""The rules of a recipe's fields, and what their errors say."""

from __future__ import annotations

from typing import Any

import pytest

from fas_core.config.recipe import Augment, Normalize, Recipe


@pytest.mark.parametrize(("mean", "std"), [((0, 0.5, 1.1), (1, 1, 1)), ((0, 0, 0), (1, 0, 1))])
def test_normalisation_is_for_pixels_between_0_and_1(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Normalize(mean, std)  # type: ignore[arg-type]


@pytest.mark.parametrize("pair", [(0.0, 0.5), (0.6, 0.5), (0.5, 1.1)])
def test_a_range_is_ordered_and_within_its_bounds(pair: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"'crop_scale' must be a pair low <= high in \(0, 1\]"):
        Augment(crop_scale=pair)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("threshold", "oracle-eer", "'threshold' must be "),
        ("threshold", "eer:1", "'threshold' must be "),
        ("modalities", ("rgb", "rgb"), "at least one modality, none twice"),
        ("modalities", (), "at least one modality, none twice"),
        ("modalities", ("1st",), "names of letters, digits and '_'"),
        ("folds", "subject+session", "COLUMN:K"),
        ("folds", "subject:1", "K folds of at least 2"),
        ("folds", "subject:999999999", "at most 200 folds"),
    ],
)
def test_other_values_are_refused(field: str, value: Any, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Recipe(**{field: value})
    assert Recipe(threshold="apcer:0.01", folds="subject:2").folds == "subject:2"
