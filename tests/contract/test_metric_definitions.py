"""Every metric and threshold policy against its definition, one sample and one pair at a time.

Tables hold what real ones do: ties, infinities, NaN, samples without a label, attacks without a species.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan, nan, nextafter, sqrt
from statistics import fmean, pstdev
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score, roc_curve

from fas_core.config.components import MetricChoice
from fas_core.descriptors import Metric
from fas_core.errors import DataError
from fas_core.evaluation import bind_metrics, compute_metrics
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold

Row: TypeAlias = tuple[float, int | None, str | None]
Rows: TypeAlias = list[Row]
Rates: TypeAlias = tuple[float, float, float]

METRICS = bind_metrics([MetricChoice(found.name) for found in registry().all(Metric)], registry())
FPRS, APCERS, BPCERS = (1e-2, 1e-3), {"bpcer10": 0.1, "bpcer20": 0.05, "bpcer100": 0.01}, (0.1, 0.01)

FINITE = st.sampled_from([-1.0, -0.0, 0.0, 0.25, 0.5, nextafter(0.5, 1), 1.0, 3.0]) | st.floats(-1e3, 1e3)
ANY = FINITE | st.sampled_from([inf, -inf, 1.7e308, -1.7e308, 5e-324])
KINDS = st.sampled_from([(1, "live"), (0, "print"), (0, "replay"), (0, None)])
TARGETS = st.sampled_from([0.0, 0.01, 0.1, 0.25, 1 / 3, 0.5, 0.99])

few = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def rows(draw: Callable[..., Any], values: st.SearchStrategy[float] = ANY, both: bool = True) -> Rows:
    """Up to 16 samples; of both classes unless told otherwise."""
    kinds = [*([(1, "live"), (0, "print")] if both else []), *draw(st.lists(KINDS, max_size=14))]
    return [(draw(values), label, species) for label, species in kinds]


def table(samples: Rows) -> ScoreTable:
    score, label, species = ([sample[index] for sample in samples] for index in range(3))
    ids = [str(index) for index in range(len(samples))]
    return ScoreTable.of({"id": ids, "score": score, "label": label, "species": species})


def figures(samples: Rows, threshold: float | None) -> dict[str, float]:
    return compute_metrics(table(samples), METRICS, threshold)


def share(values: list[float], wrong: Callable[[float], bool]) -> float:
    return sum(map(wrong, values)) / len(values) if values else nan


def split(samples: Rows) -> tuple[list[float], list[float], dict[str | None, list[float]]]:
    """Scores of live samples, of attacks, and of attacks by species; without NaN and unknown labels."""
    live = [score for score, label, _ in samples if label == 1 and not isnan(score)]
    attacks = [(score, species) for score, label, species in samples if label == 0 and not isnan(score)]
    kinds = {kind: [score for score, species in attacks if species == kind] for _, kind in attacks}
    return live, [score for score, _ in attacks], kinds


def errors(samples: Rows, threshold: float) -> Rates:
    """(APCER pooled, APCER of the worst species, BPCER) by ISO/IEC 30107-3."""
    live, attack, kinds = split(samples)
    species = [share(scores, lambda score: score >= threshold) for scores in kinds.values()]
    return (
        share(attack, lambda score: score >= threshold),
        max(species, default=nan),
        share(live, lambda score: score < threshold),
    )


def reachable(samples: Rows) -> list[Rates]:
    """The rates when accepting from each score upwards, and when accepting nothing."""
    live, attack, _ = split(samples)
    return [*(errors(samples, score) for score in sorted({*live, *attack})), (0.0, 0.0, 1.0)]


def by_definition(samples: Rows, threshold: float) -> dict[str, float]:
    """Every figure that ships, of a table with both classes."""
    live, attack, _ = split(samples)
    pooled, worst, refused = errors(samples, threshold)
    every = reachable(samples)
    right = sum(score >= threshold for score in live) + sum(score < threshold for score in attack)
    # Of two equal gaps the higher threshold counts; gaps are compared as integers, which have no rounding.
    gaps = [abs(round((apcer - bpcer) * len(live) * len(attack))) for apcer, _, bpcer in every]
    nearest = every[max(index for index, gap in enumerate(gaps) if gap == min(gaps))]
    found = {
        "acc": right / (len(live) + len(attack)),
        "eer": (nearest[0] + nearest[2]) / 2,
        "apcer": pooled,
        "apcer_max": worst,
        "bpcer": refused,
        "acer": (pooled + refused) / 2,
        "acer_max": (worst + refused) / 2,
        "hter": (pooled + refused) / 2,
        "auc": fmean((a < b) + (a == b) / 2 for a in attack for b in live),
        "d_prime": d_prime(live, attack),
    }
    for fpr in FPRS:
        found[f"tpr@fpr={fpr:.0e}".replace("e-0", "e-")] = max(1 - b for a, _, b in every if a <= fpr)
    for name, target in APCERS.items():
        found[name] = min(b for _, a, b in every if a <= target)
    for target in BPCERS:
        suffix = f"bpcer={target:.0e}".replace("e-0", "e-")
        found[f"apcer@{suffix}"] = min(a for a, _, b in every if b <= target)
        found[f"apcer_max@{suffix}"] = min(a for _, a, b in every if b <= target)
    return found


def d_prime(live: list[float], attack: list[float]) -> float:
    unit = max(map(abs, [*live, *attack]))
    if unit in (0, inf):
        return nan
    live, attack = ([score / unit for score in part] for part in (live, attack))
    spread = sqrt((pstdev(live) ** 2 + pstdev(attack) ** 2) / 2)
    return (fmean(live) - fmean(attack)) / spread if spread else nan


@few
@given(rows(), ANY)
def test_every_figure_is_its_definition(samples: Rows, threshold: float) -> None:
    expected = by_definition(samples, threshold)
    found = figures(samples, threshold)
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@few
@given(rows(FINITE), FINITE)
def test_scikit_learn_agrees_where_it_has_the_figure(samples: Rows, threshold: float) -> None:
    labels, scores = [label for _, label, _ in samples], [score for score, _, _ in samples]
    found = figures(samples, threshold)
    fprs, tprs, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found["acc"] == pytest.approx(
        accuracy_score(labels, [int(score >= threshold) for score in scores])
    )
    for fpr, key in zip(FPRS, ("tpr@fpr=1e-2", "tpr@fpr=1e-3"), strict=True):
        assert found[key] == pytest.approx(tprs[fprs <= fpr].max(), abs=1e-12)
    for target, key in zip(BPCERS, ("apcer@bpcer=1e-1", "apcer@bpcer=1e-2"), strict=True):
        assert found[key] == pytest.approx(fprs[1 - tprs <= target + 1e-12].min(), abs=1e-12)
    gaps = abs(fprs - (1 - tprs))
    eers = ((fprs + 1 - tprs) / 2)[gaps <= gaps.min() + 1e-12]
    assert min(abs(eers - found["eer"])) < 1e-12


@few
@given(rows(), TARGETS)
def test_every_policy_is_the_best_of_all_thresholds(samples: Rows, target: float) -> None:
    """Nothing accepted but by refusing +inf is out of every number's reach, and said to be."""
    live, attack, _ = split(samples)
    every = reachable(samples)[: -1 if inf in (*live, *attack) else None]

    def rates(policy: str) -> Rates | None:
        try:
            found = fit_threshold(policy, table(samples)).value
        except DataError:
            return None
        return errors(samples, found)

    for index, policy in ((0, "apcer"), (1, "apcer_max")):
        lowest = next((found for found in every if found[index] <= target), None)
        assert rates(f"{policy}<={target}") == lowest
    assert rates(f"bpcer<={target}") == [found for found in every if found[2] <= target][-1]
    least = rates("min-acer")
    assert least is not None
    assert least[0] + least[2] == pytest.approx(min(found[0] + found[2] for found in every), abs=1e-12)
    eer = rates("eer")
    if eer is not None and inf not in (*live, *attack):
        assert (eer[0] + eer[2]) / 2 == pytest.approx(by_definition(samples, 0.0)["eer"], abs=1e-12)


@few
@given(rows(both=False), st.none() | ANY, st.lists(KINDS, max_size=4), st.lists(ANY, max_size=4))
def test_failures_to_respond_and_unknown_labels_change_nothing(
    samples: Rows, threshold: float | None, silent: list[tuple[int, str]], unknown: list[float]
) -> None:
    extra: Rows = [*((nan, *kind) for kind in silent), *((score, None, "print") for score in unknown)]
    assert figures([*extra, *samples], threshold) == pytest.approx(figures(samples, threshold), nan_ok=True)


@few
@given(rows(both=False), st.none() | ANY)
def test_no_table_is_too_odd(samples: Rows, threshold: float | None) -> None:
    """Every rate is in [0, 1], or NaN where a class or the threshold is missing."""
    live, attack, _ = split(samples)
    found = figures(samples, threshold)
    d = found.pop("d_prime")
    assert all(isnan(value) or 0 <= value <= 1 for value in found.values())
    at_threshold = {"acc", "apcer", "apcer_max", "bpcer", "acer", "acer_max", "hter"}
    needs = {"acc": live or attack, "apcer": attack, "apcer_max": attack, "bpcer": live}
    for key, value in found.items():
        possible = bool(needs.get(key, live and attack)) and (
            threshold is not None or key not in at_threshold
        )
        assert isnan(value) is not possible, key
    assert isnan(d) or (live and attack)


@few
@given(rows(FINITE), FINITE, st.sampled_from([lambda x: 2 * x, lambda x: x / 4]))
def test_only_the_order_of_scores_counts(
    samples: Rows, threshold: float, change: Callable[[float], float]
) -> None:
    moved: Rows = [(change(score), label, species) for score, label, species in samples]
    assert figures(moved, change(threshold)) == pytest.approx(
        figures(samples, threshold), rel=1e-9, nan_ok=True
    )


@pytest.mark.parametrize("score", [0.5, inf, -inf])
def test_all_equal_scores_are_worth_nothing(score: float) -> None:
    same: Rows = [(score, 1, "live"), (score, 1, "live"), (score, 0, "print"), (score, 0, None)]
    found = figures(same, score)
    assert {key: found[key] for key in ("auc", "eer", "acc", "apcer", "bpcer")} == {
        "auc": 0.5, "eer": 0.5, "acc": 0.5, "apcer": 1.0, "bpcer": 0.0,
    }  # fmt: skip
    assert {found[key] for key in ("bpcer10", "bpcer20", "bpcer100")} == {1.0}
    assert {found[key] for key in found if key.startswith("apcer") and "@" in key} == {1.0}
    assert isnan(found["d_prime"])


def test_classes_that_do_not_vary_have_no_d_prime() -> None:
    """The mean of three 0.1 in floating point is not 0.1."""
    samples: Rows = [*[(0.1, 1, "live")] * 3, *[(0.3, 0, "print")] * 3]
    assert isnan(figures(samples, None)["d_prime"])


@pytest.mark.parametrize(("label", "species"), [(1, "live"), (0, "print")])
def test_one_sample(label: int, species: str) -> None:
    found = figures([(0.7, label, species)], 0.5)
    defined = {key: value for key, value in found.items() if not isnan(value)}
    assert defined == ({"acc": 1.0, "bpcer": 0.0} if label else {"acc": 0.0, "apcer": 1.0, "apcer_max": 1.0})
