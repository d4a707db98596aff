"""Threshold policies: fitted on dev or given, and refused in one line when they cannot be."""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan, nextafter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, DataError
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Policy, Threshold, fit_threshold, parse_policy


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


SPELLINGS = [
    ("eer", Policy("eer")),
    ("min-acer", Policy("min-acer")),
    ("apcer<=0.05", Policy("apcer", 0.05)),
    ("apcer<=5E-2", Policy("apcer", 0.05)),
    ("apcer:0.05", Policy("apcer", 0.05)),
    ("apcer_max<=5e-2", Policy("apcer_max", 0.05)),
    ("apcer_max:.05", Policy("apcer_max", 0.05)),
    ("bpcer:0", Policy("bpcer", 0.0)),
    ("bpcer:1e-3", Policy("bpcer", 0.001)),
    ("fixed:-1.5", Policy("fixed", -1.5)),
    ("fixed:1e5", Policy("fixed", 1e5)),
]
ORACLES = [
    ("oracle:eer", Policy("eer", oracle=True)),
    ("oracle:min-acer", Policy("min-acer", oracle=True)),
    ("oracle:bpcer<=0", Policy("bpcer", 0.0, oracle=True)),
    ("oracle:apcer_max:0.1", Policy("apcer_max", 0.1, oracle=True)),
]
UNKNOWN = """
    fixed fixed: fixed:high fixed:nan fixed:inf fixed<=0.5 eer:0.5 acer apcer apcer<= apcer: apcer<=1
    apcer<=1e-0 apcer<=-0.1 apcer:1 apcer:-0.1 apcer:nan apcer<=5% apcer<0.05 apcer=0.05 apcer:<=0.05
    APCER:0.05 tpr<=0.1 oracle: oracle:fixed:0.5 oracle:oracle:eer
"""
BAD = ["", *UNKNOWN.split()]


@pytest.mark.parametrize(("text", "policy"), [*SPELLINGS, *ORACLES])
def test_policies_are_parsed(text: str, policy: Policy) -> None:
    assert parse_policy(text) == policy
    assert policy.fitted == (policy.rule != "fixed")


@pytest.mark.parametrize("policy", BAD)
def test_other_policies_are_refused(policy: str) -> None:
    with pytest.raises(ConfigError, match="must be eer, min-acer, apcer:X") as caught:
        parse_policy(policy)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("policy", [text for text, _ in SPELLINGS])
def test_a_recipe_has_the_same_grammar(policy: str) -> None:
    assert Recipe(threshold=policy).threshold == policy


@pytest.mark.parametrize("policy", [*BAD, *(text for text, _ in ORACLES)])
def test_a_recipe_refuses_bad_policies_and_oracles(policy: str) -> None:
    with pytest.raises(ValueError, match="'threshold' must be eer, min-acer, apcer:X"):
        Recipe(threshold=policy)


@pytest.mark.parametrize("policy", ["apcer:0.25", "apcer<=0.25"])
def test_a_threshold_keeps_the_policy_as_it_was_written(policy: str) -> None:
    found = fit_threshold(policy, dev([0.9, 0.6, 0.2, 0.4], [1, 1, 0, 0]))
    assert found == Threshold(0.5, policy, "dev")
    assert found.text() == f"accepted when score >= 0.5 ({policy} on dev)"


SCORES = st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 3.0]), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(SCORES, SCORES, st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.99]))
def test_each_rule_finds_the_best_of_all_thresholds(live: list[float], attack: list[float], x: float) -> None:
    table = dev([*live, *attack], [1] * len(live) + [0] * len(attack))
    scores = sorted({*live, *attack})
    midpoints = [(low + high) / 2 for low, high in pairwise(scores)]
    thresholds = [scores[0], *midpoints, nextafter(scores[-1], inf)]
    every = [(t, float(table.rates.apcer(t)), float(table.rates.bpcer(t))) for t in thresholds]

    def fitted(policy: str) -> float:
        return fit_threshold(policy, table).value

    assert fitted(f"apcer:{x}") == min(t for t, apcer, _ in every if apcer <= x)
    assert fitted(f"apcer_max:{x}") == fitted(f"apcer:{x}")  # there is one species
    assert fitted(f"bpcer:{x}") == max(t for t, _, bpcer in every if bpcer <= x)
    least = min(apcer + bpcer for _, apcer, bpcer in every)
    found = fitted("min-acer")
    assert float(table.rates.apcer(found) + table.rates.bpcer(found)) == pytest.approx(least)
    assert fitted("eer") in thresholds


def test_the_worst_species_decides() -> None:
    table = ScoreTable.of(
        {
            "id": list("abcdefg"),
            "score": [0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7],
            "label": [1, 0, 0, 0, 0, 0, 0],
            "species": ["live", *["print"] * 4, "replay", "replay"],
        }
    )
    assert fit_threshold("apcer<=0.4", table).value == pytest.approx(0.45)
    assert fit_threshold("apcer_max<=0.4", table).value == pytest.approx(0.8)


def test_an_oracle_is_fitted_on_what_is_judged_and_says_so() -> None:
    judged = dev([0.8, 0.4], [1, 0])
    found = fit_threshold("oracle:eer", dev([0.9, 0.2], [1, 0]), evaluated=judged)
    assert (found.policy, found.source) == ("oracle:eer", "judged")
    assert found.value == pytest.approx(0.6)
    with pytest.raises(DataError, match="there are no judged scores"):
        fit_threshold("oracle:eer", judged)


def test_what_no_number_refuses() -> None:
    with pytest.raises(DataError, match="no number rejects"):
        fit_threshold("apcer<=0", dev([0.9, inf], [1, 0]))
    assert fit_threshold("apcer<=0.5", dev([0.9, inf, 0.1], [1, 0, 0])).value == pytest.approx(0.5)


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
