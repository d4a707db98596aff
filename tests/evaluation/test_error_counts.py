"""Errors in plain words, warnings where a model is of no use, and rates that stand on few samples."""

from __future__ import annotations

from math import nan

import pytest

from fas_core.evaluation.error_counts import ErrorCounts, find_small_counts, find_warnings, looks_inverted

GOOD = ErrorCounts(1, 540, 12, 324, {"mask_3d": (1, 180), "print": (0, 360)})


def errors(species: dict[str, tuple[int, int]], refused: int = 12, live: int = 324) -> ErrorCounts:
    accepted, attacks = (sum(counts[index] for counts in species.values()) for index in (0, 1))
    return ErrorCounts(accepted, attacks, refused, live, species)


@pytest.mark.parametrize(
    ("species", "text"),
    [
        ({"mask_3d": (12, 180), "print": (0, 360)}, "12 of 540 attacks accepted, all mask_3d"),
        ({"mask_3d": (12, 540)}, "12 of 540 attacks accepted"),
        ({"mask_3d": (0, 180), "print": (0, 360)}, "0 of 540 attacks accepted"),
        (
            {"print": (4, 360), "mask_3d": (8, 180)},
            "12 of 540 attacks accepted (8 of 180 mask_3d, 4 of 360 print)",
        ),
        (
            {"a": (1, 100), "b": (2, 100), "c": (3, 100), "d": (4, 100), "e": (5, 100)},
            "15 of 500 attacks accepted (5 of 100 e, 4 of 100 d, 3 of 100 c and 2 further species)",
        ),
        ({}, "no attacks"),
    ],
)
def test_the_errors_in_words(species: dict[str, tuple[int, int]], text: str) -> None:
    assert errors(species).describe() == f"{text}; 12 of 324 live refused"


def test_without_live_samples() -> None:
    assert errors({"print": (1, 2)}, 0, 0).describe() == "1 of 2 attacks accepted; no live samples"


@pytest.mark.parametrize(
    ("auc", "text"),
    [
        (0.001, "labels or scores may be inverted"),
        (0.44, "labels or scores may be inverted"),
        (0.46, "no better than chance"),
        (0.5, "no better than chance"),
        (0.55, "no better than chance"),
        (0.56, None),
        (nan, None),
        (None, None),
    ],
)
def test_warnings_of_an_auc(auc: float | None, text: str | None) -> None:
    warnings = find_warnings({"auc": auc}, GOOD)
    assert [text in warning for warning in warnings] == ([True] if text else [])
    assert looks_inverted({"auc": auc}) == bool(text and "inverted" in text)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (errors({"print": (1, 9)}, refused=7, live=7), ["BPCER 100 %: all 7 live samples are refused"]),
        (errors({"print": (9, 9), "mask": (1, 1)}), ["APCER 100 %: all 10 attacks are accepted"]),
        (errors({"print": (1, 9), "mask": (2, 2)}), ["APCER 100 %: all 2 mask attacks are accepted"]),
        (errors({}, refused=0, live=0), []),
        (None, []),
    ],
)
def test_warnings_of_a_threshold(counts: ErrorCounts | None, expected: list[str]) -> None:
    warnings = find_warnings({"auc": 0.9}, counts)
    assert [text in warning for text, warning in zip(expected, warnings, strict=True)] == [True] * len(
        expected
    )


@pytest.mark.parametrize(
    ("key", "count", "needed", "samples"),
    [
        ("tpr@fpr=1e-3", 540, 1000, "attacks"),
        ("tpr@fpr=1e-4", 540, 10_000, "attacks"),
        ("bpcer100", 40, 100, "mask_3d attacks"),
        ("bpcer@apcer_max=2e-2", 40, 50, "mask_3d attacks"),
        ("apcer@bpcer=1e-2", 30, 100, "live samples"),
        ("apcer_max@bpcer=1e-2", 30, 100, "live samples"),
    ],
)
def test_rates_on_too_few_samples(key: str, count: int, needed: int, samples: str) -> None:
    counts, species = {"live": 30, "attack": 540}, {"print": 500, "mask_3d": 40}
    small = find_small_counts({key: 0.5, "acer": 0.1}, counts, species)
    assert [(name, item.count, item.needed, item.samples) for name, item in small.items()] == [
        (key, count, needed, samples)
    ]
    assert small[key].describe(key).endswith(f"stands on {count} {samples}, fewer than {needed:,}")


def test_rates_on_enough_samples_and_undefined_ones() -> None:
    counts, species = {"live": 100, "attack": 1000}, {"print": 1000}
    rates = {"tpr@fpr=1e-3": 0.5, "bpcer100": 0.1, "apcer@bpcer=1e-2": 0.0, "bpcer": 0.1, "tpr@fpr=x": 0.1}
    assert find_small_counts(rates, counts, species) == {}
    undefined = {"tpr@fpr=1e-4": nan, "tpr@fpr=1e-5": None}
    assert find_small_counts(undefined, counts, species) == {}
