"""Metrics bound to their options, and their values for one score table.

A metric of a plugin that fails or is absent has the value NaN (a dash in tables), and the error is reported:
it costs neither the run nor the other metrics. An error in fas-core's own metrics is a bug with a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from math import isfinite, isnan, nan
from typing import Any

from attrs import field, frozen

from fas_core.config.components import MetricChoice
from fas_core.contracts import MetricFunction
from fas_core.descriptors import Metric
from fas_core.errors import FasError, PluginError
from fas_core.registry import Registry
from fas_core.scores.table import ScoreTable


@frozen(eq=False)
class BoundMetric:
    """A metric (see `fas_core.contracts.MetricFunction`) with an instance of its options class.

    Args:
        component: its descriptor, which errors name; None for a function that no plugin provides.
    """

    name: str
    function: MetricFunction
    options: Any
    component: Metric | None = None
    _keys: set[str] = field(factory=set, init=False, repr=False)

    def __call__(self, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
        """Return its values.

        Raises:
            PluginError: it failed, and is not one of fas-core's own.
        """
        with nullcontext() if self.component is None else self.component.naming_failures(self.function):
            values = self.function(self.options, scores=scores, threshold=threshold)
            return {str(key): float(value) for key, value in values.items()}

    def try_values(self, scores: ScoreTable, threshold: float | None) -> tuple[dict[str, float], str]:
        """Return its values and empty text; where it fails NaN for each, and the error.

        The names of the values are those of former calls, or its own name.
        """
        try:
            values = self(scores, threshold)
        except FasError as error:
            return dict.fromkeys(sorted(self._keys) or [self.name], nan), error.message
        self._keys.update(values)
        return values, ""


def bind_metrics(choices: Sequence[MetricChoice], registry: Registry) -> list[BoundMetric]:
    """Load the metrics of a recipe; one that cannot be loaded fails when it is computed."""
    return [_bind(choice, registry) for choice in choices]


def _bind(choice: MetricChoice, registry: Registry) -> BoundMetric:
    try:
        if choice.absence:
            raise PluginError(choice.absence)
        metric = registry.find(Metric, choice.name)
        # A choice of `Recipe`'s defaults has no options yet: only those of a recipe file are structured.
        with metric.naming_failures():
            options = choice.options if isinstance(choice.options, metric.options) else metric.options()
        return BoundMetric(metric.name, metric.load(), options, metric)
    except PluginError as error:
        return BoundMetric(choice.name.rpartition(":")[2], _raise_always(error), None)


def _raise_always(error: PluginError) -> MetricFunction:
    """Return a metric that fails with an error."""

    def fail(*_: Any, **__: Any) -> Mapping[str, float]:
        raise error

    return fail


def compute_metrics(
    scores: ScoreTable,
    metrics: Sequence[BoundMetric],
    threshold: float | None,
    failures: list[str] | None = None,
) -> dict[str, float]:
    """Return every value of every metric, NaN where it is not defined.

    A metric that fails has NaN, and so has one with a value that another metric gave before; the reasons are
    added to `failures`.
    """
    values: dict[str, float] = {}
    problems: list[str] = []
    for metric in metrics:
        figures, problem = metric.try_values(scores, threshold)
        if problem:
            problems.append(problem)
        elif twice := [key for key in figures if key in values]:
            problems.append(f"metric {metric.name!r} has no values: another one gives {', '.join(twice)} too")
            figures = {metric.name: nan}
        values |= {key: value for key, value in figures.items() if key not in values}
    if failures is not None:
        failures += problems
    return values


def compute_answered(
    scores: ScoreTable,
    answered: ScoreTable,
    metrics: Sequence[BoundMetric],
    threshold: float | None,
    failures: list[str] | None = None,
) -> dict[str, float]:
    """Return every value where some scores are uncertain: rates at the threshold count the others alone.

    Args:
        scores: all of them. Values that need no threshold are of these: EER, AUC and the like.
        answered: the same samples with NaN for the uncertain.
    """
    values = compute_metrics(answered, metrics, threshold, failures)
    if answered is scores:
        return values
    ranking = compute_metrics(scores, metrics, None)
    return {key: value if isnan(ranking.get(key, nan)) else ranking[key] for key, value in values.items()}


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
