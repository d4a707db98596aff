"""What `fas_core.evaluate` returns: scores, their figures, and both as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fas_core.errors import FasError
from fas_core.evaluation.groups import GroupedResult
from fas_core.evaluation.intervals import Intervals
from fas_core.names import escape_controls
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold
from fas_core.text_table import escape_table, format_text

if TYPE_CHECKING:
    from pandas import DataFrame


@frozen(eq=False, repr=False)
class Result:
    """The scores that a model gave to a split and, where every sample is labelled, their figures.

    Its repr shows the tables that `fas eval` prints.

    Args:
        name: the split.
        scores: one score per sample; `scores.table.to_pandas()` has them as a data frame.
        figures: `figures.result` of all samples, `figures.groups` of each group; None where a sample has no
            label.
    """

    name: str
    scores: ScoreTable
    figures: GroupedResult | None

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """The metrics of all samples, `{name: fraction}`; NaN where undefined, empty without labels."""
        return {} if self.figures is None else self.figures.result.metrics

    @property
    def threshold(self) -> Threshold | None:
        """Where samples are accepted; None without labels, or where the model has no threshold."""
        return None if self.figures is None else self.figures.result.threshold

    def __repr__(self) -> str:
        if self.figures is None:
            return f"{self.name}: {len(self.scores)} samples, not all labelled: no table"
        tables = [format_text(escape_table(table)) for table in self.figures.tables()]
        return "\n\n".join([*tables, escape_controls(self.figures.result.summary)])

    def to_pandas(self) -> DataFrame:
        """Return a row for each metric, of all samples and of each group.

        The columns: `name` (the split, or the group's value), `metric`, `value` (a fraction), and `low` and
        `high`, the bounds of its 95 % interval; NaN where undefined or not computed.

        Raises:
            FasError: pandas is not installed, or a sample has no label.
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise FasError("to_pandas() needs pandas: pip install pandas") from error
        if self.figures is None:
            raise FasError(f"{self.name}: not all samples are labelled, so there are no figures; see .scores")
        columns = ("name", "metric", "value", "low", "high")
        rows = [
            (result.name, metric, value, *_bounds(result.intervals, metric))
            for result in (self.figures.result, *self.figures.groups)
            for metric, value in result.metrics.items()
        ]
        return DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))

    def to_json(self) -> dict[str, Any]:
        """Return what `fas eval --json` prints of the figures, as plain data."""
        figures = {} if self.figures is None else self.figures.to_json()
        return {"split": self.name, "samples": len(self.scores), **figures}


def _bounds(intervals: Intervals | None, metric: str) -> tuple[float | None, float | None]:
    return (None, None) if intervals is None else intervals.figures.get(metric, (None, None))
