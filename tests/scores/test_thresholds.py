"""Threshold policies: fitted on dev or given, and refused in one line when they cannot be."""

from __future__ import annotations

from math import inf, nan

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


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("eer", Policy("eer")),
        ("oracle:min-acer", Policy("min-acer", oracle=True)),
        ("apcer<=0.05", Policy("apcer", 0.05)),
        ("apcer_max<=5e-2", Policy("apcer_max", 0.05)),
        ("oracle:bpcer<=0", Policy("bpcer", 0.0, oracle=True)),
        ("fixed:-1.5", Policy("fixed", -1.5)),
    ],
)
def test_policies_are_taken_apart(text: str, policy: Policy) -> None:
    assert parse_policy(text) == policy
    assert policy.fitted == (policy.rule != "fixed")


UNKNOWN = """
    fixed fixed: fixed:high fixed:nan fixed:inf fixed<=0.5 eer:0.5 acer apcer apcer<= apcer<=1 apcer<=-0.1
    apcer<=5% tpr<=0.1 oracle: oracle:fixed:0.5 oracle:oracle:eer
"""


@pytest.mark.parametrize("policy", ["", *UNKNOWN.split()])
def test_unknown_policies(policy: str) -> None:
    with pytest.raises(ConfigError, match="must be eer, min-acer"):
        parse_policy(policy)


SCORES = st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 3.0]), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(SCORES, SCORES, st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.99]))
def test_each_rule_finds_the_best_of_all_thresholds(live: list[float], attack: list[float], x: float) -> None:
    table = dev([*live, *attack], [1] * len(live) + [0] * len(attack))
    every = [(t, float(table.rates.apcer(t)), float(table.rates.bpcer(t))) for t in table.rates.thresholds()]

    def fitted(policy: str) -> float:
        return fit_threshold(policy, table).value

    assert fitted(f"apcer<={x}") == min(t for t, apcer, _ in every if apcer <= x)
    assert fitted(f"apcer_max<={x}") == fitted(f"apcer<={x}")  # there is one species
    assert fitted(f"bpcer<={x}") == max(t for t, _, bpcer in every if bpcer <= x)
    least = min(apcer + bpcer for _, apcer, bpcer in every)
    found = fitted("min-acer")
    assert float(table.rates.apcer(found) + table.rates.bpcer(found)) == pytest.approx(least)
    assert fitted("eer") in [t for t, _, _ in every]


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
    found = fit_threshold("oracle:eer", dev([0.9, 0.2], [1, 0]), judged=judged)
    assert (found.policy, found.source) == ("oracle:eer", "judged")
    assert found.value == pytest.approx(0.6)
    with pytest.raises(DataError, match="there are no judged scores"):
        fit_threshold("oracle:eer", judged)


def test_what_no_number_refuses() -> None:
    with pytest.raises(DataError, match="no number refuses"):
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


@pytest.mark.parametrize(
    "policy", ["eer", "min-acer", "apcer<=0.05", "apcer_max<=1e-2", "bpcer<=.1", "fixed:-2.5"]
)
def test_recipes_may_ask_for_what_dev_can_give(policy: str) -> None:
    assert Recipe(threshold=policy).threshold == policy
    parse_policy(policy)


@pytest.mark.parametrize("policy", ["oracle:eer", "acer", "apcer<="])
def test_recipes_may_not_ask_for_an_oracle(policy: str) -> None:
    with pytest.raises(ValueError, match="threshold"):
        Recipe(threshold=policy)
