"""Metrics beyond the published table: BPCER_AP, APCER at BPCER, HTER and d'."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isnan, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fas_core.config.recipe import MetricChoice
from fas_core.config.structure import structure
from fas_core.descriptors import Metric
from fas_core.errors import ConfigError
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable

SAMPLES = st.lists(
    st.tuples(
        st.sampled_from([-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 3.0]), st.sampled_from(["live", "print", "replay"])
    ),
    max_size=16,
)


def compute(
    name: str, scores: ScoreTable, threshold: float | None = None, **options: Any
) -> Mapping[str, float]:
    choice = structure({"name": name, **options}, MetricChoice, registry(), "test")
    found: Mapping[str, float] = (
        registry().find(Metric, name).load()(choice.options, scores=scores, threshold=threshold)
    )
    return found


def table(samples: list[tuple[float, str]]) -> ScoreTable:
    return ScoreTable.of(
        {
            "id": [str(index) for index in range(len(samples))],
            "score": [score for score, _ in samples],
            "label": [int(species == "live") for _, species in samples],
            "species": [species for _, species in samples],
        }
    )


def direct(samples: list[tuple[float, str]]) -> list[tuple[float, float, float]]:
    """(APCER pooled, APCER of the worst species, BPCER) at every cut, one sample at a time."""
    live = [score for score, species in samples if species == "live"]
    kinds = {
        kind: [score for score, species in samples if species == kind]
        for kind in sorted({species for _, species in samples} - {"live"})
    }
    attack = [score for scores in kinds.values() for score in scores]
    return [
        (
            sum(score >= cut for score in attack) / len(attack),
            max(sum(score >= cut for score in scores) / len(scores) for scores in kinds.values()),
            sum(score < cut for score in live) / len(live),
        )
        for cut in [*sorted({*live, *attack}), inf]
    ]


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(SAMPLES, st.sampled_from([0.01, 0.25, 1 / 3, 0.5, 0.9]))
def test_targets_are_met_by_the_best_cut(samples: list[tuple[float, str]], target: float) -> None:
    samples = [*samples, (0.5, "live"), (0.25, "print")]
    (found,) = compute("bpcer_ap", table(samples), apcers=[target]).values()
    assert found == min(bpcer for _, worst, bpcer in direct(samples) if worst <= target)
    pooled, worst = compute("apcer_at_bpcer", table(samples), bpcers=[target]).values()
    allowed = [cut for cut in direct(samples) if cut[2] <= target]
    assert pooled == min(apcer for apcer, _, _ in allowed)
    assert worst == min(worst for _, worst, _ in allowed)


def test_bpcer_ap_by_hand() -> None:
    """Twenty prints and ten replays: 5 % allows one print and no replay."""
    samples = [(index / 100, "print") for index in range(20)] + [
        (index / 50, "replay") for index in range(10)
    ]
    samples += [(0.15, "live"), (0.175, "live"), (0.185, "live"), (0.5, "live")]
    assert compute("bpcer_ap", table(samples)) == {"bpcer10": 0.25, "bpcer20": 0.5, "bpcer100": 0.75}
    assert list(compute("bpcer_ap", table(samples), apcers=[0.2, 0.03])) == ["bpcer5", "bpcer@apcer_max=3e-2"]


def test_apcer_at_bpcer_by_hand() -> None:
    samples = [(index / 10, "live") for index in range(10)] + [
        (0.05, "print"),
        (0.5, "print"),
        (0.2, "replay"),
    ]
    assert compute("apcer_at_bpcer", table(samples)) == pytest.approx(
        {
            "apcer@bpcer=1e-1": 2 / 3,  # one live sample may go: accept from 0.1
            "apcer_max@bpcer=1e-1": 1.0,
            "apcer@bpcer=1e-2": 1.0,
            "apcer_max@bpcer=1e-2": 1.0,
        }
    )


def test_hter_is_the_mean_of_both_errors() -> None:
    samples = [(0.9, "live"), (0.3, "live"), (0.6, "print"), (0.1, "print"), (0.2, "replay"), (0.4, "replay")]
    assert compute("hter", table(samples), 0.5) == {"hter": (1 / 4 + 1 / 2) / 2}
    assert isnan(compute("hter", table(samples))["hter"])


def test_d_prime_agrees_with_numpy() -> None:
    rng = np.random.default_rng(0)
    live, attack = rng.normal(2, 1, 500), rng.normal(0, 2, 300)
    samples = [(score, "live") for score in live] + [(score, "print") for score in attack]
    expected = (live.mean() - attack.mean()) / sqrt((live.var() + attack.var()) / 2)
    assert compute("d_prime", table(samples))["d_prime"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "samples",
    [
        [(0.5, "live")],
        [(0.5, "print")],
        [],
        [(0.5, "live"), (0.1, "print")],
        [(inf, "live"), (0.3, "live"), (0.1, "print"), (0.2, "print")],
    ],
)
def test_d_prime_where_it_is_not_defined(samples: list[tuple[float, str]]) -> None:
    assert isnan(compute("d_prime", table(samples))["d_prime"])


@pytest.mark.parametrize("name", ["bpcer_ap", "apcer_at_bpcer", "hter"])
@pytest.mark.parametrize("species", ["live", "print"])
def test_one_class_is_not_defined(name: str, species: str) -> None:
    assert all(map(isnan, compute(name, table([(0.1, species), (0.7, species)]), 0.5).values()))


@pytest.mark.parametrize(("name", "key"), [("bpcer_ap", "apcers"), ("apcer_at_bpcer", "bpcers")])
def test_bad_targets_are_refused(name: str, key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        compute(name, table([]), **{key: [0.1, 5]})
