"""Scores of several systems for the same samples, aligned by sample id."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen

from fas_core.errors import DataError
from fas_core.evaluation.bootstrap import align_scores
from fas_core.scores.ranked import Floats
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.ensemble.rule import FittedRule


@frozen(eq=False)
class JoinedScores:
    """Scores of K systems for the same N samples.

    Args:
        names: K names.
        samples: the N samples with their labels; its score column is that of one system.
        scores: (K, N), in the row order of `samples`.
    """

    names: tuple[str, ...]
    samples: ScoreTable
    scores: Floats

    def member(self, index: int) -> ScoreTable:
        """The score table of one system."""
        return self._with_scores(self.scores[index])

    def combine(self, rule: FittedRule) -> ScoreTable:
        """Return the score table of the ensemble."""
        return self._with_scores(rule.combine(self.scores))

    def all_tables(self, rule: FittedRule) -> list[ScoreTable]:
        """The score tables of all members and, last, of the ensemble."""
        return [*map(self.member, range(len(self.names))), self.combine(rule)]

    def ranges_beyond_unit(self) -> dict[str, tuple[float, float]]:
        """The lowest and highest score of each system that has scores outside [0, 1]."""
        rows = {name: row[~np.isnan(row)] for name, row in zip(self.names, self.scores, strict=True)}
        ranges = {name: (float(row.min()), float(row.max())) for name, row in rows.items() if row.size}
        return {name: (low, high) for name, (low, high) in ranges.items() if low < 0 or high > 1}

    def _with_scores(self, scores: Floats) -> ScoreTable:
        return ScoreTable(self.samples.table.set_column(1, "score", pa.array(scores, pa.float64())))


def join_scores(tables: Mapping[str, ScoreTable]) -> JoinedScores:
    """Join the tables of several systems by sample id; labels are those of the first labelled table.

    Raises:
        DataError: ids differ between two tables, labels differ between two labelled tables, or a score is
            infinite.
    """
    first = next((name for name, table in tables.items() if _has_labels(table)), next(iter(tables)))
    samples = tables[first]
    unlabelled = ScoreTable.of({column: samples.table.column(column) for column in ("id", "score")})
    rows = []
    for name, table in tables.items():
        try:
            rows.append(align_scores(table, samples if _has_labels(table) else unlabelled).scores)
        except DataError as error:
            raise DataError(f"{first} and {name}: {error.message}") from error
        if infinite := int(np.isinf(rows[-1]).sum()):
            raise DataError(f"{name}: {infinite} of {len(table)} scores are infinite and have no mean")
    return JoinedScores(tuple(tables), samples, np.stack(rows))


def _has_labels(table: ScoreTable) -> bool:
    return bool(pc.any(pc.is_valid(table.table.column("label"))).as_py())
