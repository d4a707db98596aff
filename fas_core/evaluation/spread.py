"""Results over several sub-protocols, seeds or folds: mean and standard deviation, and tables of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen

from fas_core.data.fold_numbers import plural
from fas_core.evaluation.formatting import format_header, percent
from fas_core.evaluation.metrics import finite_values
from fas_core.evaluation.notes import describe_intervals, describe_warnings, threshold_text
from fas_core.evaluation.result import Result
from fas_core.evaluation.tables import PUBLISHED, format_tables, published_table
from fas_core.text_table import Styled, Table


@frozen
class Spread:
    """Results of one split, one per sub-protocol, seed or fold and named after it, and their spread.

    Means, and sample standard deviations (divisor n - 1), are NaN where a metric is not defined in one of the
    results; deviations also for a single one.
    """

    results: tuple[Result, ...]
    mean: Mapping[str, float]
    sd: Mapping[str, float]

    def to_json(self, kind: str) -> dict[str, Any]:
        """Plain data for strict JSON: rates as fractions, null where they are not defined.

        `kind` is the key of the results, e.g. `protocols`.
        """
        results = {result.name: result.to_json() for result in self.results}
        return {kind: results, "mean": finite_values(self.mean), "sd": finite_values(self.sd)}


def spread(results: Sequence[Result]) -> Spread:
    """Return mean and sample standard deviation of every metric; each result keeps its own threshold."""
    keys = list(dict.fromkeys(key for result in results for key in result.metrics))
    values = np.array([[result.metrics.get(key) for key in keys] for result in results], np.float64)
    deviations = values.std(axis=0, ddof=1) if len(results) > 1 else np.full(len(keys), np.nan)
    mean, sd = (dict(zip(keys, row.tolist(), strict=True)) for row in (values.mean(axis=0), deviations))
    return Spread(tuple(results), mean, sd)


def spread_tables(
    spread: Spread, *, title: str = "", train_hours: float | None = None, lead: Sequence[str] = PUBLISHED
) -> list[Table]:
    """The tables of the results, with rows (or columns) for mean and standard deviation.

    `title` precedes the first table's own, e.g. the split; `train_hours` is of all runs together; `lead`
    names the rates of the first table, in their order.
    """
    summary = [
        Result(name, metrics, threshold=None, counts={}, species={})
        for name, metrics in (("mean", spread.mean), ("± sd", spread.sd))
    ]
    first, *others = format_tables([*spread.results, *summary], lead=lead)
    published = published_table(spread.results)  # its title and notes do not mention mean and deviation
    heading = f"{title}: {published.title[:1].lower()}{published.title[1:]}" if title else published.title
    hours = "" if train_hours is None else f"trained in {train_hours:.2f} hours"
    return [evolve(first, title=heading, note="\n".join(filter(None, [published.note, hours]))), *others]


FOLD_METRICS = ("eer", "apcer_max", "apcer", "bpcer", "acer")


@frozen
class CrossValidation:
    """Evaluation of out-of-fold scores: by fold, and pooled with the notes about them all.

    No two folds share a value of the column `by`, e.g. `subject`; each has as many as `groups` says.
    """

    by: str
    groups: Sequence[int]
    folds: Spread
    pooled: Result

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: rates as fractions, null where they are not defined."""
        spread = self.folds.to_json("folds")
        results = zip(spread.pop("folds").items(), self.groups, strict=True)
        folds = {name: {"groups": groups, **result} for (name, result), groups in results}
        return {"by": self.by, "folds": folds, **spread, "pooled": self.pooled.to_json()}


def cross_validation_tables(result: CrossValidation) -> list[Table]:
    """A row per fold, mean, standard deviation and all folds pooled; then the other tables of the pooled."""
    folds, pooled = result.folds, result.pooled
    keys = [key for key in FOLD_METRICS if key in pooled.metrics]

    def row(
        name: str, groups: object, samples: object, metrics: Mapping[str, float | None]
    ) -> tuple[str, ...]:
        return (name, str(groups), str(samples), *(percent(metrics.get(key)) for key in keys))

    rows = [
        row(fold.name, groups, fold.counts["total"], fold.metrics)
        for fold, groups in zip(folds.results, result.groups, strict=True)
    ]
    rows += [row("mean", "", "", folds.mean), row("± sd", "", "", folds.sd)]
    rows.append(row("pooled", sum(result.groups), pooled.counts["total"], pooled.metrics))
    if pooled.intervals is not None:
        for index, name in enumerate(("  from", "  to")):
            bounds = {key: limits[index] for key, limits in pooled.intervals.figures.items()}
            rows.append(tuple(Styled(cell, "dim") for cell in row(name, "", "", bounds)))
    title = f"Rates in %, {threshold_text(pooled)}"
    note = "\n".join([*pooled.notes, *describe_warnings([pooled]), *describe_intervals([pooled])])
    columns = ("fold", plural(result.by), "samples", *map(format_header, keys))
    first = Table(title=title, columns=columns, rows=rows, note=note)
    return [first, *format_tables([evolve(pooled, notes=())])[1:]]
