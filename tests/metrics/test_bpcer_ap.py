"""BPCER_AP: BPCER at given APCERs of the worst PAI species."""

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
    (figure,) = compute("bpcer_ap", build_table(samples), apcers=[target]).values()
    assert figure == min(bpcer for _, worst, bpcer in list_rates(samples) if worst <= target)


def test_worked_example(compute: Compute, build_table: BuildTable) -> None:
    """Twenty prints and ten replays: 5 % allows one print and no replay."""
    samples = [(index / 100, "print") for index in range(20)]
    samples += [(index / 50, "replay") for index in range(10)]
    samples += [(0.15, "live"), (0.175, "live"), (0.185, "live"), (0.5, "live")]
    scores = build_table(samples)
    assert compute("bpcer_ap", scores) == {"bpcer10": 0.25, "bpcer20": 0.5, "bpcer100": 0.75}
    assert list(compute("bpcer_ap", scores, apcers=[0.2, 0.03])) == ["bpcer5", "bpcer@apcer_max=3e-2"]


@pytest.mark.parametrize("species", ["live", "print"])
def test_one_class_is_not_defined(compute: Compute, build_table: BuildTable, species: str) -> None:
    figures = compute("bpcer_ap", build_table([(0.1, species), (0.7, species)]), 0.5)
    assert all(map(isnan, figures.values()))


def test_bad_targets_are_refused(compute: Compute, build_table: BuildTable) -> None:
    with pytest.raises(ConfigError, match="apcers"):
        compute("bpcer_ap", build_table([]), apcers=[0.1, 5])
