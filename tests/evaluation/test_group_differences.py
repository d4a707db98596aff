"""Differences between groups: against Fisher's and McNemar's exact tests, Holm's correction, people."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact

from fas_core.evaluation.group_differences import GroupDifference, adjust_holm, compare_groups
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable

Rows = list[tuple[str, str | None, bool]]


def live_scores(rows: Rows) -> ScoreTable:
    """A live sample for each (person, device, whether it is refused at 0.5)."""
    return ScoreTable.of(
        {
            "id": [str(index) for index in range(len(rows))],
            "score": [0.1 if refused else 0.9 for _, _, refused in rows],
            "label": [1] * len(rows),
            "species": ["live"] * len(rows),
            "subject": [person for person, _, _ in rows],
            "device": [device for _, device, _ in rows],
        }
    )


def compare(rows: Rows, permutations: int = 9999) -> dict[str, GroupDifference]:
    scores = live_scores(rows)
    found = compare_groups(scores, scores.table.column("device"), 0.5, permutations=permutations)
    return {item.group: item for item in found if item.rate == "bpcer"}


def of_one_device(device: str, people: int, refused: int, samples: int = 1) -> Rows:
    return [
        (f"{device}{person}", device, person < refused) for person in range(people) for _ in range(samples)
    ]


@pytest.mark.parametrize("refused", [(9, 2), (5, 5), (12, 1), (0, 4)])
def test_one_sample_a_person_is_fishers_exact_test(refused: tuple[int, int]) -> None:
    first, second = refused
    found = compare(of_one_device("a", 20, first) + of_one_device("b", 20, second))
    expected = fisher_exact([[first, 20 - first], [second, 20 - second]]).pvalue
    # Three standard errors of a share of 9,999.
    margin = 3 * np.sqrt(expected * (1 - expected) / 9999) + 1e-4
    assert found["a"].p == pytest.approx(expected, abs=margin)
    assert found["a"].difference == pytest.approx((first - second) / 20)
    assert (found["a"].wrong, found["a"].total, found["a"].people) == (first, 20, 20)


@pytest.mark.parametrize(("only_a", "only_b"), [(9, 1), (4, 3), (12, 2)])
def test_one_sample_a_person_and_device_is_mcnemars_exact_test(only_a: int, only_b: int) -> None:
    """Of people with both devices, those alone speak who are refused at one of them."""
    outcomes = [(True, False)] * only_a + [(False, True)] * only_b + [(True, True)] * 5 + [(False, False)] * 9
    rows: Rows = []
    for person, (at_a, at_b) in enumerate(outcomes):
        rows += [(str(person), "a", at_a), (str(person), "b", at_b)]
    expected = binomtest(only_b, only_a + only_b).pvalue
    margin = 3 * np.sqrt(expected * (1 - expected) / 9999) + 1e-4
    assert compare(rows)["a"].p == pytest.approx(expected, abs=margin)


def test_many_samples_of_few_people_are_no_evidence() -> None:
    """30 samples each of 4 and 4 people: as samples the difference is beyond doubt, as people it is not."""
    rows = of_one_device("a", 4, 2, samples=30) + of_one_device("b", 4, 0, samples=30)
    assert fisher_exact([[60, 60], [0, 120]]).pvalue < 1e-9
    found = compare(rows)
    assert found["a"].p > 0.2
    assert not found["a"].clear
    assert found["a"].people == 4


def test_too_few_people_to_tell_whatever_they_do() -> None:
    found = compare(of_one_device("a", 2, 2, samples=50) + of_one_device("b", 2, 0, samples=50))
    # 6 ways to choose 2 of 4 people: p cannot be below 1 / 6.
    assert found["a"].least == pytest.approx(1 / 6)
    assert found["a"].verdict == "too few to tell"
    enough = compare(of_one_device("a", 9, 9) + of_one_device("b", 9, 0))
    assert (enough["a"].verdict, enough["b"].verdict) == ("higher", "lower")


def test_people_of_one_and_of_both_devices_count_together() -> None:
    """The people of one device alone do not hide behind those of both, nor the other way round."""
    both = [(f"c{person}", device, device == "a") for person in range(6) for device in ("a", "b")]
    alone = of_one_device("a", 6, 6) + of_one_device("b", 6, 0)
    p = {
        name: compare(rows)["a"].p
        for name, rows in {"both": both, "alone": alone, "all": both + alone}.items()
    }
    assert p["both"] == pytest.approx(2 / 2**6, abs=0.01)
    assert p["all"] < min(p["both"], p["alone"])


def test_two_groups_are_one_comparison_and_three_are_three() -> None:
    two = compare(of_one_device("a", 20, 9) + of_one_device("b", 20, 2))
    assert two["a"].corrected == pytest.approx(two["a"].p, abs=0.01)
    three = compare(of_one_device("a", 20, 9) + of_one_device("b", 20, 2) + of_one_device("c", 20, 5))
    order = sorted(three.values(), key=lambda item: item.p)
    # By hand: the smallest p times 3, the next times 2, none smaller than the one before.
    assert order[0].corrected == pytest.approx(min(1, 3 * order[0].p))
    assert order[1].corrected == pytest.approx(max(order[0].corrected, min(1, 2 * order[1].p)))


def test_holm_by_hand() -> None:
    assert adjust_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_holm([0.5, 0.9]) == [1.0, 1.0]
    assert adjust_holm([]) == []


def test_equal_groups_are_found_different_in_one_of_twenty_at_most() -> None:
    rng = np.random.default_rng(5)
    clear = 0
    for _ in range(60):
        rows: Rows = []
        for person in range(16):
            rate = rng.beta(0.5, 2)  # people differ much, devices do not
            rows += [(str(person), "ab"[person % 2], bool(rng.random() < rate)) for _ in range(20)]
        clear += compare(rows, permutations=199)["a"].clear
    assert clear <= 7  # of 60 at 5 %: more than 7 have a chance of 1 in 100


def test_what_is_left_out() -> None:
    """Samples without a group, a label or a verdict, and rates of a single group."""
    rows = [*of_one_device("a", 4, 1), ("x", None, True)]
    found = compare(rows)
    assert set(found) == {"a"}
    assert found["a"].total == 4
    assert np.isnan(found["a"].p)
    assert found["a"].verdict == ""
    assert found["a"].to_json()["p"] is None
    scores = live_scores(of_one_device("a", 4, 1) + of_one_device("b", 4, 1))
    band = RejectBand(0.05, 0.5, "0.05:0.5", "given")
    found_in_band = compare_groups(scores, scores.table.column("device"), 0.5, band)
    assert {item.total for item in found_in_band if item.rate == "bpcer"} == {3}
