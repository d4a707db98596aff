"""Comparison of systems: their differences, with intervals by paired bootstrap of the same samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from textwrap import wrap
from typing import Any, Protocol

from attrs import field, frozen

from fas_core.errors import DataError
from fas_core.evaluation.bootstrap import align_scores
from fas_core.evaluation.error_counts import SmallCount
from fas_core.evaluation.formatting import figure_name, is_rate, percent, plain
from fas_core.evaluation.intervals import Intervals, bootstrap_differences
from fas_core.evaluation.metrics import BoundMetric, finite_or_none
from fas_core.evaluation.notes import SMALL_COUNT, describe_exact, wrap_note
from fas_core.evaluation.result import Result
from fas_core.evaluation.result_notes import oracle_notes
from fas_core.scores.table import ScoreTable
from fas_core.text_table import Styled, Table

NAME_WIDTH = 16
"""The most characters of a system's name per line of its column's header, so that tables fit 80 columns."""


class System(Protocol):
    """Scores and their evaluation."""

    @property
    def name(self) -> str: ...
    @property
    def scores(self) -> ScoreTable: ...
    @property
    def result(self) -> Result: ...


@frozen
class Difference:
    """One metric of a system and of the reference, and the interval of their difference."""

    system: float | None
    reference: float | None
    low: float
    high: float

    @property
    def value(self) -> float:
        """System minus reference; NaN where one of them is not defined."""
        return nan if self.system is None or self.reference is None else self.system - self.reference

    @property
    def clear(self) -> bool:
        """Whether the interval excludes 0."""
        return isfinite(self.low) and isfinite(self.high) and not self.low <= 0 <= self.high


@frozen(eq=False)
class Comparison:
    """One system, by name, compared with the reference, and the intervals of their differences.

    Where the two cannot be compared, `figures` is empty and `why` is the reason. `notes` are for readers,
    `small_counts` those of the reference's result.
    """

    name: str
    reference: str
    figures: Mapping[str, Difference]
    intervals: Intervals | None = None
    why: str = ""
    notes: tuple[str, ...] = ()
    small_counts: Mapping[str, SmallCount] = field(factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        figures = {}
        for key, item in self.figures.items():
            interval = [finite_or_none(item.low), finite_or_none(item.high)]
            figures[key] = {"difference": finite_or_none(item.value), "interval": interval}
        names = {"name": self.name, "reference": self.reference}
        return {**names, "figures": figures, "why": self.why or None, "notes": [*self.notes]}


def compare(systems: Sequence[System], metrics: Sequence[BoundMetric], replicates: int) -> list[Comparison]:
    """Compare every further system with the first, by `replicates` of a paired bootstrap; 0 for no intervals.

    `metrics` are those of the systems' results.
    """
    return [_compare(system, systems[0], metrics, replicates) for system in systems[1:]]


def _compare(
    system: System, reference: System, metrics: Sequence[BoundMetric], replicates: int
) -> Comparison:
    try:
        align_scores(system.scores, reference.scores)
    except DataError as error:
        return Comparison(system.name, reference.name, {}, why=error.message)
    intervals = None
    if replicates:
        thresholds = (system.result.threshold_value, reference.result.threshold_value)
        tables = (system.scores, reference.scores)
        rejects = (system.result.reject, reference.result.reject)
        intervals = bootstrap_differences(
            *tables, metrics, thresholds, rejects=rejects, replicates=replicates
        )
    bounds = intervals.figures if intervals else {}
    figures = {
        key: Difference(value, reference.result.metrics.get(key), *bounds.get(key, (nan, nan)))
        for key, value in system.result.metrics.items()
    }
    notes = oracle_notes([system.result.threshold, reference.result.threshold])
    small = reference.result.small_counts
    return Comparison(system.name, reference.name, figures, intervals, notes=tuple(notes), small_counts=small)


def comparison_table(comparison: Comparison) -> Table:
    """One metric per row: of both systems, their difference and its interval; clear ones are marked."""
    rows = []
    for key, item in comparison.figures.items():
        show = percent if is_rate(key) else plain
        sign = "+" if item.value > 0 else ""
        bounds = [Styled(show(bound), "dim") for bound in (item.low, item.high)]
        values = (show(item.reference), show(item.system), sign + show(item.value), *bounds)
        name = figure_name(key) + (SMALL_COUNT if key in comparison.small_counts else "")
        rows.append((name, *values, "clear" if item.clear else ""))
    names = ["\n".join(wrap(name, NAME_WIDTH)) for name in (comparison.reference, comparison.name)]
    title = f"{comparison.name} minus {comparison.reference}, rates in %"
    columns = ("", *names, "difference", "from", "to", "")
    return Table(title=title, columns=columns, rows=rows, note="\n".join(_explain_figures(comparison)))


def _explain_figures(comparison: Comparison) -> list[str]:
    """Return the lines below the table."""
    lines = list(comparison.notes)
    if comparison.small_counts:
        texts = (item.describe(key) for key, item in comparison.small_counts.items())
        lines += wrap_note(f"{SMALL_COUNT} {'; '.join(texts)}")
    if comparison.why:
        lines.append(f"not compared: {comparison.why}")
    if (intervals := comparison.intervals) is not None:
        lines.append(
            f"from, to: {100 * intervals.level:g} % intervals of the difference, {intervals.replicates} "
            f"bootstrap replicates over {intervals.groups} {intervals.by}s, the same for both; "
            f"clear: the interval leaves out 0"
        )
        lines += wrap_note(describe_exact(intervals))
    return lines
