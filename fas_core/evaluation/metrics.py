"""Metrics with their options, and what they say of one score table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

from attrs import frozen

from fas_core.config.recipe import MetricChoice
from fas_core.contracts import MetricFunction
from fas_core.descriptors import Component, Metric
from fas_core.errors import PluginError
from fas_core.registry import Registry
from fas_core.scores.table import ScoreTable


@frozen
class BoundMetric:
    """A metric with its options, ready to be computed.

    Args:
        name: the component's.
        function: see `fas_core.contracts.MetricFunction`.
        options: an instance of its options class.
    """

    name: str
    function: MetricFunction
    options: Any

    def __call__(self, scores: ScoreTable, threshold: float | None) -> Mapping[str, float]:
        return self.function(self.options, scores=scores, threshold=threshold)


def bind_metrics(choices: Sequence[MetricChoice], registry: Registry) -> list[BoundMetric]:
    """The metrics of a recipe, loaded.

    Raises:
        PluginError: no plugin provides one of them.
    """
    return [_bound(registry.find(Metric, choice.name), choice.options) for choice in choices]


def _bound(metric: Component, options: Any) -> BoundMetric:
    # A choice that is named by default, and not in a recipe, has no options yet.
    own = options if isinstance(options, metric.options) else metric.options()
    return BoundMetric(metric.name, metric.load(), own)


def compute(scores: ScoreTable, metrics: Sequence[BoundMetric], threshold: float | None) -> dict[str, float]:
    """Every figure of every metric, NaN where it is not defined.

    Raises:
        PluginError: two metrics give a figure of the same name.
    """
    figures: dict[str, float] = {}
    giver: dict[str, str] = {}
    for metric in metrics:
        for key, value in metric(scores, threshold).items():
            if key in figures:
                raise PluginError(f"figure {key!r} is given by metric {giver[key]!r} and by {metric.name!r}")
            figures[key], giver[key] = float(value), metric.name
    return figures


def species_apcer(scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """APCER of each attack species, NaN without a threshold or where none of it has a score."""
    if threshold is None:
        return dict.fromkeys(scores.rates.species, nan)
    return {name: float(rate) for name, rate in scores.rates.species_apcer(threshold).items()}


def or_null(value: float) -> float | None:
    """A number as strict JSON can say it."""
    return value if isfinite(value) else None
