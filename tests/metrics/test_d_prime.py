"""d' (sensitivity index)."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan, sqrt

import numpy as np
import pytest

from fas_core import ScoreTable

Compute = Callable[..., dict[str, float]]
BuildTable = Callable[[list[tuple[float, str]]], ScoreTable]


def test_it_agrees_with_numpy(compute: Compute, build_table: BuildTable) -> None:
    rng = np.random.default_rng(0)
    live, attack = rng.normal(2, 1, 500), rng.normal(0, 2, 300)
    samples = [(score, "live") for score in live] + [(score, "print") for score in attack]
    expected = (live.mean() - attack.mean()) / sqrt((live.var() + attack.var()) / 2)
    assert compute("d_prime", build_table(samples))["d_prime"] == pytest.approx(expected)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_scale_of_scores_does_not_matter(compute: Compute, build_table: BuildTable, scale: float) -> None:
    samples = [(0.9, "live"), (0.5, "live"), (0.4, "print"), (0.1, "print")]
    scaled = [(score * scale, species) for score, species in samples]
    expected = compute("d_prime", build_table(samples))
    assert compute("d_prime", build_table(scaled)) == pytest.approx(expected)


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
def test_where_it_is_not_defined(
    compute: Compute, build_table: BuildTable, samples: list[tuple[float, str]]
) -> None:
    assert isnan(compute("d_prime", build_table(samples))["d_prime"])
