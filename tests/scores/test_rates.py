"""Error rates against scikit-learn, and against each definition written out over all pairs."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isnan, nan, nextafter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

from fas_core.scores.rates import ErrorRates

TIED = st.sampled_from([-1.0, -0.0, 0.0, 0.25, 0.5, 0.5000000000000001, 1.0, 3.0])
FINITE = TIED | st.floats(-1e3, 1e3)
ANY = FINITE | st.sampled_from([inf, -inf, 1.7e308, -1.7e308, 5e-324])
FPRS = st.sampled_from([1e-3, 1e-2, 0.1, 0.25, 1 / 3, 0.5, 0.9])

few = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def some(values: st.SearchStrategy[float], least: int = 1) -> st.SearchStrategy[list[float]]:
    return st.lists(values, min_size=least, max_size=14)


def rates_of(live: list[float], attack: list[float]) -> ErrorRates:
    return ErrorRates.of(np.array(live, np.float64), np.array(attack, np.float64))


def errors_at(live: list[float], attack: list[float], threshold: float) -> tuple[Fraction, Fraction]:
    """(APCER, BPCER), counted one sample at a time."""
    accepted = sum(1 for score in attack if score >= threshold)
    refused = sum(1 for score in live if not score >= threshold)
    return Fraction(accepted, len(attack)), Fraction(refused, len(live))


def all_thresholds(live: list[float], attack: list[float]) -> list[float]:
    """Every score, and a number above all of them unless one is infinite: they give all rates there are."""
    return sorted({*live, *attack, nextafter(max(*live, *attack), inf)})


def cuts(live: list[float], attack: list[float]) -> list[tuple[Fraction, Fraction]]:
    """(APCER, BPCER) when accepting from each distinct score upwards, and when accepting nothing."""
    found = [errors_at(live, attack, score) for score in sorted({*live, *attack})]
    return [*found, (Fraction(0), Fraction(1))]


def direct_eer(live: list[float], attack: list[float]) -> float:
    gaps = [(abs(apcer - bpcer), index) for index, (apcer, bpcer) in enumerate(cuts(live, attack))]
    _, best = min(gaps, key=lambda gap: (gap[0], -gap[1]))
    apcer, bpcer = cuts(live, attack)[best]
    return float(apcer + bpcer) / 2


def direct_auc(live: list[float], attack: list[float]) -> float:
    wins = sum((a < b) + (a == b) / 2 for a in attack for b in live)
    return wins / (len(live) * len(attack))


@few
@given(some(ANY), some(ANY))
def test_rates_at_any_threshold_follow_their_definitions(live: list[float], attack: list[float]) -> None:
    rates, thresholds = rates_of(live, attack), all_thresholds(live, attack)
    direct = [errors_at(live, attack, threshold) for threshold in thresholds]
    assert [float(apcer) for apcer, _ in direct] == rates.apcer(np.array(thresholds)).tolist()
    assert [float(bpcer) for _, bpcer in direct] == rates.bpcer(np.array(thresholds)).tolist()


@few
@given(some(FINITE), some(FINITE), FPRS)
def test_thresholds_at_a_target_rate_are_the_best_ones(
    live: list[float], attack: list[float], target: float
) -> None:
    rates, direct = rates_of(live, attack), cuts(live, attack)
    lowest = errors_at(live, attack, rates.threshold_at_apcer(target))
    assert lowest == next(found for found in direct if float(found[0]) <= target)
    assert rates.threshold_at_apcer_max(target) == rates.threshold_at_apcer(target)  # there is one species
    highest = errors_at(live, attack, rates.threshold_at_bpcer(target))
    assert highest == [found for found in direct if float(found[1]) <= target][-1]


@few
@given(some(FINITE), some(FINITE))
def test_the_minimum_acer_is_the_least_mean_of_both_rates(live: list[float], attack: list[float]) -> None:
    threshold, acer = rates_of(live, attack).minimum_acer_threshold()
    assert acer == pytest.approx(float(min(sum(found) for found in cuts(live, attack))) / 2, abs=1e-15)
    assert float(sum(errors_at(live, attack, threshold))) / 2 == pytest.approx(acer, abs=1e-15)


def test_reweighted_scores_are_repeated_scores() -> None:
    live, attack = np.array([0.9, 0.4]), np.array([0.1, 0.6, 0.5])
    species = {"print": attack[:2], "replay": attack[2:]}
    rates = ErrorRates.of(live, attack, species)
    weights = np.array([2, 0]), np.array([1, 3, 0]), {"print": np.array([1, 0]), "replay": np.array([3])}
    found = rates.reweight(*weights)  # weights are in ascending order of scores
    repeated = {"print": np.array([0.1]), "replay": np.array([0.5] * 3)}
    expected = ErrorRates.of(np.array([0.4] * 2), np.array([0.1] + [0.5] * 3), repeated)
    assert found.auc() == expected.auc() == 0.25
    assert found.equal_error_threshold()[1] == expected.equal_error_threshold()[1]
    assert found.bpcer_at_apcer(0.5) == expected.bpcer_at_apcer(0.5) == 1.0
    assert float(found.apcer_max(0.45)) == float(expected.apcer_max(0.45)) == 1.0
    assert found.apcer_at_bpcer(0.5) == expected.apcer_at_bpcer(0.5) == (0.75, 1.0)


@few
@given(some(ANY), some(ANY))
def test_eer_is_the_least_gap(live: list[float], attack: list[float]) -> None:
    rates = rates_of(live, attack)
    threshold, eer = rates.equal_error_threshold()
    assert eer == pytest.approx(direct_eer(live, attack), abs=1e-15)
    if inf not in (*live, *attack):
        apcer, bpcer = errors_at(live, attack, threshold)
        assert eer == pytest.approx(float(apcer + bpcer) / 2, abs=1e-15)


@few
@given(some(ANY), some(ANY), FPRS)
def test_tpr_at_fpr_is_the_best_reachable(live: list[float], attack: list[float], fpr: float) -> None:
    best = max(1 - bpcer for apcer, bpcer in cuts(live, attack) if float(apcer) <= fpr)
    assert rates_of(live, attack).tpr_at_fpr(fpr) == float(best)


@few
@given(some(ANY), some(ANY))
def test_auc_counts_pairs(live: list[float], attack: list[float]) -> None:
    assert rates_of(live, attack).auc() == pytest.approx(direct_auc(live, attack), abs=1e-15)


@few
@given(some(FINITE), some(FINITE), FPRS, FINITE)
def test_agrees_with_scikit_learn(
    live: list[float], attack: list[float], fpr: float, threshold: float
) -> None:
    labels, scores = [1] * len(live) + [0] * len(attack), [*live, *attack]
    rates = rates_of(live, attack)
    fprs, tprs, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert rates.auc() == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert rates.tpr_at_fpr(fpr) == pytest.approx(tprs[fprs <= fpr].max(), abs=1e-12)
    thresholds = np.array(all_thresholds(live, attack))
    ours = np.unique(np.stack([rates.apcer(thresholds), 1 - rates.bpcer(thresholds)], 1), axis=0)
    np.testing.assert_allclose(ours, np.unique(np.stack([fprs, tprs], 1), axis=0), atol=1e-12)
    (tn, fp), (fn, tp) = confusion_matrix(labels, [int(x >= threshold) for x in scores], labels=[0, 1])
    assert float(rates.apcer(threshold)) == pytest.approx(fp / (fp + tn))
    assert float(rates.bpcer(threshold)) == pytest.approx(fn / (fn + tp))
    assert rates.accuracy(threshold) == pytest.approx((tp + tn) / len(labels))


@few
@given(some(ANY), some(ANY), st.randoms(use_true_random=False))
def test_order_does_not_matter(live: list[float], attack: list[float], random) -> None:  # type: ignore[no-untyped-def]
    before = rates_of(live, attack)
    shuffled = rates_of(random.sample(live, len(live)), random.sample(attack, len(attack)))
    assert before.equal_error_threshold() == shuffled.equal_error_threshold()
    assert before.auc() == shuffled.auc()


@few
@given(some(TIED), some(TIED))
def test_swapping_classes_mirrors_the_auc(live: list[float], attack: list[float]) -> None:
    assert rates_of(live, attack).auc() == pytest.approx(1 - rates_of(attack, live).auc())


def test_a_large_random_sample_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 20_000)
    scores = np.round(rng.normal(labels, 1.0), 2)  # heavy ties
    rates = ErrorRates.of(scores[labels == 1], scores[labels == 0])
    fprs, tprs, _ = roc_curve(labels, scores, drop_intermediate=False)
    gap = np.abs(fprs - (1 - tprs))
    assert rates.equal_error_threshold()[1] == pytest.approx(((fprs + 1 - tprs) / 2)[gap.argmin()], abs=1e-12)
    assert rates.auc() == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    for fpr in (1e-3, 1e-2, 0.1):
        assert rates.tpr_at_fpr(fpr) == tprs[fprs <= fpr].max()


def test_species_by_hand() -> None:
    print_, replay = np.array([0.9, 0.2, 0.1, 0.1]), np.array([0.6, 0.7])
    rates = ErrorRates.of(
        np.array([0.8]), np.concatenate([print_, replay]), {"print": print_, "replay": replay}
    )
    assert {name: float(rate) for name, rate in rates.species_apcer(0.6).items()} == {
        "print": 0.25,
        "replay": 1.0,
    }
    assert float(rates.apcer(0.6)) == 0.5
    assert float(rates.apcer_max(0.6)) == 1.0
    assert rates.apcer_max(np.array([0.0, 0.65, 0.95])).tolist() == [1.0, 0.5, 0.0]


def test_equal_scores_are_separated_by_nothing() -> None:
    rates = rates_of([0.5, 0.5], [0.5])
    assert rates.equal_error_threshold()[1] == 0.5
    assert rates.auc() == 0.5
    assert rates.tpr_at_fpr(0.5) == 0.0


def test_of_two_equal_gaps_the_higher_threshold_counts() -> None:
    # At 0.55 the rates are 1/2 and 1/3, at 0.825 they are 1/2 and 2/3.
    threshold, eer = rates_of([0.9, 0.8, 0.3], [0.2, 0.85]).equal_error_threshold()
    assert threshold == pytest.approx(0.825)
    assert eer == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_perfect_and_inverted() -> None:
    perfect = rates_of([0.8, 0.9], [0.1, 0.2])
    assert perfect.equal_error_threshold() == (0.5, 0.0)
    assert (perfect.auc(), perfect.tpr_at_fpr(1e-3)) == (1.0, 1.0)
    inverted = rates_of([0.1], [0.9])
    assert inverted.equal_error_threshold() == (0.5, 1.0)
    assert (inverted.auc(), inverted.tpr_at_fpr(0.5)) == (0.0, 0.0)


def test_infinities_are_scores_like_others() -> None:
    rates = rates_of([inf, 1.0], [-inf, 0.0])
    assert rates.equal_error_threshold() == (0.5, 0.0)
    assert rates_of([inf], [-inf]).equal_error_threshold() == (0.0, 0.0)
    assert np.isfinite(rates_of([inf], [0.0]).equal_error_threshold()[0])
    assert float(rates.apcer(-inf)) == 1.0
    assert rates_of([inf], [inf]).tpr_at_fpr(0.1) == 0.0


def test_neighbouring_numbers_are_told_apart() -> None:
    low, high = 0.5, nextafter(0.5, 1)
    assert rates_of([high], [low]).equal_error_threshold() == (high, 0.0)


def test_a_rate_that_divides_exactly_is_reached() -> None:
    attack = [float(index) for index in range(300)]
    assert rates_of([296.5], attack).tpr_at_fpr(1e-2) == 1.0  # exactly 3 of 300 lie above
    assert rates_of([295.5], attack).tpr_at_fpr(1e-2) == 0.0


@pytest.mark.parametrize(("live", "attack"), [([], [0.1, 0.2]), ([0.1], []), ([], [])])
def test_one_class_gives_what_is_defined(live: list[float], attack: list[float]) -> None:
    rates = rates_of(live, attack)
    assert not rates.has_both_classes
    assert all(map(isnan, [*rates.equal_error_threshold(), rates.auc(), rates.tpr_at_fpr(0.1)]))
    assert isnan(float(rates.apcer(0.15))) == (not attack)
    assert isnan(float(rates.apcer_max(0.15))) == (not attack)
    assert isnan(float(rates.bpcer(0.15))) == (not live)
    assert isnan(rates.accuracy(0.15)) == (not live and not attack)


def test_nan_is_never_compared() -> None:
    with_nan, without = rates_of([0.9, nan], [nan, 0.1, nan]), rates_of([0.9], [0.1])
    assert with_nan.equal_error_threshold() == without.equal_error_threshold()
    species = {"print": np.array([nan]), "replay": np.array([0.7])}
    rates = ErrorRates.of(np.array([0.9]), np.array([nan, 0.7]), species)
    assert float(rates.apcer_max(0.5)) == 1.0
    assert isnan(float(rates.species_apcer(0.5)["print"]))
