"""Metrics bound to their options, and their values for one score table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

from attrs import frozen

from fas_core.config.recipe import MetricChoice
from fas_core.contracts import MetricFunction
from fas_core.descriptors import Metric
from fas_core.errors import PluginError
from fas_core.registry import Registry
from fas_core.scores.table import ScoreTable


@frozen
class BoundMetric:
    """A metric (see `fas_core.contracts.MetricFunction`) with an instance of its options class."""

    name: str
    function: MetricFunction
    options: Any

    def __call__(self, scores: ScoreTable, threshold: float | None) -> Mapping[str, float]:
        return self.function(self.options, scores=scores, threshold=threshold)


def bind_metrics(choices: Sequence[MetricChoice], registry: Registry) -> list[BoundMetric]:
    """Load the metrics of a recipe; a PluginError says which of them no plugin provides."""
    bound = []
    for choice in choices:
        metric = registry.find(Metric, choice.name)
        # A choice of `Recipe`'s defaults has no options yet: only those of a recipe file are structured.
        options = choice.options if isinstance(choice.options, metric.options) else metric.options()
        bound.append(BoundMetric(metric.name, metric.load(), options))
    return bound


def compute_metrics(
    scores: ScoreTable, metrics: Sequence[BoundMetric], threshold: float | None
) -> dict[str, float]:
    """Return every value of every metric, NaN where it is not defined.

    Raises:
        PluginError: two metrics return a value of the same name.
    """
    values: dict[str, float] = {}
    origin: dict[str, str] = {}
    for metric in metrics:
        for key, value in metric(scores, threshold).items():
            if key in values:
                raise PluginError(f"figure {key!r} is given by metric {origin[key]!r} and by {metric.name!r}")
            values[key], origin[key] = float(value), metric.name
    return values


def species_apcer(scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """APCER of each PAI species, NaN without a threshold or where none of its attacks has a score."""
    if threshold is None:
        return dict.fromkeys(scores.rates.species, nan)
    return {name: float(rate) for name, rate in scores.rates.species_apcer(threshold).items()}


def finite_or_none(value: float | None) -> float | None:
    """A number as strict JSON can hold it: null for NaN and infinities."""
    return value if value is not None and isfinite(value) else None


def finite_values(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Named numbers, likewise."""
    return {key: finite_or_none(value) for key, value in values.items()}
