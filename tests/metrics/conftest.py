"""Score tables, and metrics by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from fas_core import Metric, ScoreTable
from fas_core.testing import find_component, read_options

Compute = Callable[..., Mapping[str, float]]
BuildTable = Callable[[Sequence[tuple[float, str]]], ScoreTable]


@pytest.fixture(scope="session")
def compute() -> Compute:
    """`compute(name, scores, threshold, **options)`: the figures of a registered metric."""

    def run(
        name: str, scores: ScoreTable, threshold: float | None = None, **options: object
    ) -> Mapping[str, float]:
        metric = find_component(Metric, name)
        figures: Mapping[str, float] = metric.load()(
            read_options(metric.options, options), scores=scores, threshold=threshold
        )
        return figures

    return run


@pytest.fixture(scope="session")
def build_table() -> BuildTable:
    """`build_table([(score, species), ...])`, where the species `live` is bona fide."""

    def build(samples: Sequence[tuple[float, str]]) -> ScoreTable:
        return ScoreTable.of(
            {
                "id": [str(index) for index in range(len(samples))],
                "score": [score for score, _ in samples],
                "label": [int(species == "live") for _, species in samples],
                "species": [species for _, species in samples],
            }
        )

    return build


@pytest.fixture(scope="session")
def example(build_table: BuildTable) -> ScoreTable:
    """Four live samples; three prints, of which one passes at 0.5; one replay, which passes."""
    live, prints = [0.9, 0.8, 0.7, 0.3], [0.6, 0.2, 0.1]
    return build_table(
        [*((score, "live") for score in live), *((score, "print") for score in prints), (0.5, "replay")]
    )
