"""Result of a cross-validation: each fold at the one threshold of all, mean and deviation, all pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from fas_core.console import Table
from fas_core.data.folds import plural
from fas_core.evaluation.protocols import Spread
from fas_core.evaluation.result import Result
from fas_core.evaluation.tables import percent, tables, threshold_text

FOLD_METRICS = ("eer", "apcer", "bpcer", "acer")


@frozen
class CrossValidation:
    """Evaluation of out-of-fold scores.

    Args:
        by: the column whose values no two folds share, e.g. `subject`.
        groups: how many of its values each fold has.
        folds: each fold's result, and mean and standard deviation over them.
        pooled: the result of all out-of-fold scores together; its notes are about them all.
    """

    by: str
    groups: Sequence[int]
    folds: Spread
    pooled: Result

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: rates as fractions, null where they are not defined."""
        spread = self.folds.to_json()
        results = zip(spread.pop("protocols").items(), self.groups, strict=True)
        folds = {name: {"groups": groups, **result} for (name, result), groups in results}
        return {"by": self.by, "folds": folds, **spread, "pooled": self.pooled.to_json()}


def cross_validation_tables(result: CrossValidation) -> list[Table]:
    """A row per fold, mean, standard deviation and all folds pooled; then the other tables of the pooled."""
    folds, pooled = result.folds, result.pooled
    keys = [key for key in FOLD_METRICS if key in pooled.metrics]

    def row(name: str, groups: object, samples: object, metrics: Mapping[str, float]) -> tuple[str, ...]:
        return (name, str(groups), str(samples), *(percent(metrics.get(key)) for key in keys))

    first = Table(
        title=f"Rates in %, {threshold_text(pooled)}",
        columns=("fold", plural(result.by), "samples", *map(str.upper, keys)),
        rows=[
            *(
                row(fold.name, groups, fold.counts["total"], fold.metrics)
                for fold, groups in zip(folds.results, result.groups, strict=True)
            ),
            row("mean", "", "", folds.mean),
            row("± sd", "", "", folds.sd),
            row("pooled", sum(result.groups), pooled.counts["total"], pooled.metrics),
        ],
        note="\n".join(pooled.notes),
    )
    return [first, *tables([evolve(pooled, notes=())])[1:]]
