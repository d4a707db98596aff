"""Several systems' scores of the same samples, next to each other."""

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
from fas_plugins.commands.ensemble.rule import Rule


@frozen(eq=False)
class Joined:
    """K systems' scores of the same N samples.

    Args:
        names: K.
        like: what is known of the samples; its scores are one system's.
        scores: (K, N), in its row order.
    """

    names: tuple[str, ...]
    like: ScoreTable
    scores: Floats

    def member(self, at: int) -> ScoreTable:
        """One system's table."""
        return self._with(self.scores[at])

    def by(self, rule: Rule) -> ScoreTable:
        """The ensemble's table."""
        return self._with(rule(self.scores))

    def tables(self, rule: Rule) -> list[ScoreTable]:
        """Every system's table, and last the ensemble's."""
        return [*map(self.member, range(len(self.names))), self.by(rule)]

    def no_probabilities(self) -> dict[str, tuple[float, float]]:
        """Systems with scores outside of [0, 1]: their lowest and their highest."""
        there = {name: row[~np.isnan(row)] for name, row in zip(self.names, self.scores, strict=True)}
        ends = {name: (float(row.min()), float(row.max())) for name, row in there.items() if row.size}
        return {name: (low, high) for name, (low, high) in ends.items() if low < 0 or high > 1}

    def _with(self, scores: Floats) -> ScoreTable:
        return ScoreTable(self.like.table.set_column(1, "score", pa.array(scores, pa.float64())))


def joined(tables: Mapping[str, ScoreTable]) -> Joined:
    """Tables by name, joined by id whatever their row order; what is known of a sample is as the first table
    with labels has it.

    Raises:
        DataError: ids differ between two tables, or labels where both have some, or a score is infinite.
    """
    first = next((name for name, table in tables.items() if _any_label(table)), next(iter(tables)))
    like = tables[first]
    bare = ScoreTable.of({name: like.table.column(name) for name in ("id", "score")})
    rows = []
    for name, table in tables.items():
        try:
            rows.append(align_scores(table, like if _any_label(table) else bare).scores)
        except DataError as error:
            raise DataError(f"{first} and {name}: {error.message}") from error
        if infinite := int(np.isinf(rows[-1]).sum()):
            raise DataError(f"{name}: {infinite} of {len(table)} scores are infinite and have no mean")
    return Joined(tuple(tables), like, np.stack(rows))


def _any_label(table: ScoreTable) -> bool:
    return bool(pc.any(pc.is_valid(table.table.column("label"))).as_py())
