"""Systems next to each other: what differs, and how surely, by paired bootstrap of the same samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, isnan, nan
from textwrap import wrap
from typing import Any, Protocol

from attrs import frozen

from fas_core.console import Styled, Table
from fas_core.errors import DataError
from fas_core.evaluation.bootstrap import Intervals, aligned, differences
from fas_core.evaluation.metrics import BoundMetric, or_null
from fas_core.evaluation.result import Result, oracle_notes
from fas_core.evaluation.tables import figure_name, is_rate, percent, plain
from fas_core.scores.table import ScoreTable

HEAD = 16
"""The most characters of a system's name in a line above its column."""


class System(Protocol):
    """What is compared: scores, and what they are worth at a threshold."""

    @property
    def name(self) -> str: ...

    @property
    def scores(self) -> ScoreTable: ...

    @property
    def result(self) -> Result: ...

    @property
    def threshold(self) -> float | None: ...


@frozen
class Difference:
    """One figure of two systems: ours minus theirs, and the interval of that."""

    ours: float
    theirs: float
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.ours - self.theirs

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return isfinite(self.low) and isfinite(self.high) and not self.low <= 0 <= self.high


@frozen(eq=False)
class Comparison:
    """One system next to the first.

    Args:
        name: the system's.
        reference: the first one's name.
        figures: `{figure: difference}`; empty where the two cannot be compared.
        drawn: what the intervals are from; None likewise.
        why: the reason then.
        notes: what else a reader must know.
    """

    name: str
    reference: str
    figures: Mapping[str, Difference]
    drawn: Intervals | None = None
    why: str = ""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        found = {
            key: {"difference": or_null(item.value), "interval": [or_null(item.low), or_null(item.high)]}
            for key, item in self.figures.items()
        }
        return {
            "name": self.name,
            "reference": self.reference,
            "figures": found,
            "why": self.why or None,
            "notes": [*self.notes],
        }


def compare(systems: Sequence[System], metrics: Sequence[BoundMetric], replicates: int) -> list[Comparison]:
    """Every further system next to the first, by paired bootstrap.

    Args:
        systems: at least one.
        metrics: what they were judged by.
        replicates: of the bootstrap; 0 for no intervals.
    """
    first, *others = systems
    return [_compared(other, first, metrics, replicates) for other in others]


def _compared(ours: System, theirs: System, metrics: Sequence[BoundMetric], replicates: int) -> Comparison:
    pair, thresholds = (ours.scores, theirs.scores), (ours.threshold, theirs.threshold)
    try:
        aligned(*pair)
    except DataError as error:
        return Comparison(ours.name, theirs.name, {}, why=error.message)
    drawn = differences(*pair, metrics, thresholds, replicates=replicates) if replicates else None
    ends = drawn.figures if drawn else {}
    figures = {
        key: Difference(value, theirs.result.metrics[key], *ends.get(key, (nan, nan)))
        for key, value in ours.result.metrics.items()
    }
    notes = oracle_notes(system.result.threshold for system in (ours, theirs))
    return Comparison(ours.name, theirs.name, figures, drawn, notes=tuple(notes))


def _head(name: str) -> str:
    """In lines, so that the difference still stands in the same table of 80 columns."""
    return "\n".join(wrap(name, HEAD))


def comparison_table(found: Comparison) -> Table:
    """One figure a row: both systems', their difference, and its interval; clear differences are marked."""
    rows = []
    for key, item in found.figures.items():
        said = percent if is_rate(key) else plain
        change = said(item.value) if isnan(item.value) or item.value <= 0 else f"+{said(item.value)}"
        ends = [Styled(said(end), "dim") for end in (item.low, item.high)]
        mark = "clear" if item.clear else ""
        rows.append((figure_name(key), said(item.theirs), said(item.ours), change, *ends, mark))
    note = found.why and f"not compared: {found.why}"
    if found.drawn is not None:
        note = (
            f"from, to: {100 * found.drawn.level:g} % intervals of the difference, {found.drawn.replicates} "
            f"bootstrap replicates over {found.drawn.groups} {found.drawn.by}s, the same for both; "
            f"clear: the interval leaves out 0"
        )
    return Table(
        title=f"{found.name} minus {found.reference}, rates in %",
        columns=(
            "",
            *(_head(name) for name in (found.reference, found.name)),
            "difference",
            "from",
            "to",
            "",
        ),
        rows=rows,
        note="\n".join(filter(None, [*found.notes, note])),
    )
