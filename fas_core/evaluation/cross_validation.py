"""A cross-validation's figures: each fold at the one threshold of all, mean and deviation, all pooled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from fas_core.console import Table
from fas_core.data.folds import plural
from fas_core.evaluation.protocols import Spread
from fas_core.evaluation.result import Result
from fas_core.evaluation.tables import percent, tables

SHOWN = ("eer", "apcer", "bpcer", "acer")


@frozen
class CrossValidation:
    """Out-of-fold scores, judged.

    Args:
        by: what folds share none of, e.g. `subject`.
        groups: how many of it each fold has.
        folds: each fold's result, and mean and standard deviation over them.
        pooled: of all out-of-fold scores together; its notes are about them all.
    """

    by: str
    groups: Sequence[int]
    folds: Spread
    pooled: Result

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: rates as fractions, null where they are not defined."""
        spread = self.folds.to_json()
        sized = zip(spread.pop("protocols").items(), self.groups, strict=True)
        each = {name: {"groups": groups, **result} for (name, result), groups in sized}
        return {"by": self.by, "folds": each, **spread, "pooled": self.pooled.to_json()}


def folded_tables(found: CrossValidation) -> list[Table]:
    """A row a fold, mean, standard deviation and all folds pooled; then what else is known of the pooled."""
    pooled = found.pooled
    keys = [key for key in SHOWN if key in pooled.metrics]
    rows = [
        _row(result.name, groups, result.counts["total"], [result.metrics.get(key) for key in keys])
        for result, groups in zip(found.folds.results, found.groups, strict=True)
    ]
    rows.append(_row("mean", "", "", [found.folds.mean[key] for key in keys]))
    rows.append(_row("± sd", "", "", [found.folds.sd[key] for key in keys]))
    whole = (sum(found.groups), pooled.counts["total"])
    rows.append(_row("pooled", *whole, [pooled.metrics[key] for key in keys]))
    cut = "no threshold" if pooled.threshold is None else pooled.threshold.text()
    first = Table(
        title=f"Rates in %, {cut}",
        columns=("fold", plural(found.by), "samples", *map(str.upper, keys)),
        rows=rows,
        note="\n".join(pooled.notes),
    )
    return [first, *tables([evolve(pooled, notes=())])[1:]]


def _row(name: str, groups: object, samples: object, values: Sequence[float | None]) -> tuple[str, ...]:
    return (name, str(groups), str(samples), *map(percent, values))
