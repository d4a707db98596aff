"""APCER at given BPCERs."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fas_core import ConfigError, ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


SAMPLES = st.lists(
    st.tuples(
        st.sampled_from([-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 3.0]), st.sampled_from(["live", "print", "replay"])
    ),
    max_size=16,
)
few = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def list_rates(samples: list[tuple[float, str]]) -> list[tuple[float, float, float]]:
    """Return (APCER pooled, APCER of the worst species, BPCER) at every threshold, one sample at a time."""
    live = [score for score, species in samples if species == "live"]
    by_species = {
        name: [score for score, species in samples if species == name]
        for name in sorted({species for _, species in samples} - {"live"})
    }
    attack = [score for scores in by_species.values() for score in scores]
    return [
        (
            sum(score >= threshold for score in attack) / len(attack),
            max(sum(score >= threshold for score in scores) / len(scores) for scores in by_species.values()),
            sum(score < threshold for score in live) / len(live),
        )
        for threshold in [*sorted({*live, *attack}), inf]
    ]


@few
@given(SAMPLES, st.sampled_from([0.01, 0.25, 1 / 3, 0.5, 0.9]))
def test_the_best_threshold_meets_the_target(
    compute: Compute, build_table: BuildTable, samples: list[tuple[float, str]], target: float
) -> None:
    samples = [*samples, (0.5, "live"), (0.25, "print")]
    worst, pooled = compute("apcer_at_bpcer", build_table(samples), bpcers=[target]).values()
    allowed = [rates for rates in list_rates(samples) if rates[2] <= target]
    assert pooled == min(apcer for apcer, _, _ in allowed)
    assert worst == min(apcer_max for _, apcer_max, _ in allowed)


def test_worked_example(compute: Compute, build_table: BuildTable) -> None:
    samples = [(index / 10, "live") for index in range(10)]
    samples += [(0.05, "print"), (0.5, "print"), (0.2, "replay")]
    assert compute("apcer_at_bpcer", build_table(samples)) == pytest.approx(
        {
            "apcer@bpcer=1e-1": 2 / 3,  # one live sample may be rejected: accept from 0.1
            "apcer_max@bpcer=1e-1": 1.0,
            "apcer@bpcer=1e-2": 1.0,
            "apcer_max@bpcer=1e-2": 1.0,
        }
    )


@pytest.mark.parametrize("species", ["live", "print"])
def test_one_class_is_not_defined(compute: Compute, build_table: BuildTable, species: str) -> None:
    figures = compute("apcer_at_bpcer", build_table([(0.1, species), (0.7, species)]), 0.5)
    assert all(map(isnan, figures.values()))


def test_bad_targets_are_refused(compute: Compute, build_table: BuildTable) -> None:
    with pytest.raises(ConfigError, match="bpcers"):
        compute("apcer_at_bpcer", build_table([]), bpcers=[0.1, 5])
