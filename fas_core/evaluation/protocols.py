"""Several sub-protocols of one protocol: the figures of each, their mean and standard deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from fas_core.console import Table
from fas_core.evaluation.metrics import or_null
from fas_core.evaluation.result import Result
from fas_core.evaluation.tables import published_table, tables


@frozen
class Spread:
    """Results of one split under each sub-protocol, and how far they are apart.

    Args:
        results: one a sub-protocol, named by it; at least one.
        mean: `{figure: mean}`, NaN where it is not defined under one of them.
        sd: likewise the sample standard deviation (n - 1 below); NaN for a single one.
    """

    results: tuple[Result, ...]
    mean: Mapping[str, float]
    sd: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: rates as fractions, null where they are not defined."""
        return {
            "protocols": {result.name: result.to_json() for result in self.results},
            "mean": {key: or_null(value) for key, value in self.mean.items()},
            "sd": {key: or_null(value) for key, value in self.sd.items()},
        }


def spread(results: Sequence[Result]) -> Spread:
    """Mean and sample standard deviation (n - 1 below) of every figure over sub-protocols.

    Each keeps the threshold that was fitted on its own dev set.
    """
    keys = list(dict.fromkeys(key for result in results for key in result.metrics))
    table = np.array([[result.metrics.get(key, np.nan) for key in keys] for result in results])
    deviations = table.std(axis=0, ddof=1) if len(results) > 1 else np.full(len(keys), np.nan)
    return Spread(tuple(results), _by_key(keys, table.mean(axis=0)), _by_key(keys, deviations))


def spread_tables(found: Spread, *, title: str = "", train_hours: float | None = None) -> list[Table]:
    """The tables of the results, with rows (or columns) for mean and standard deviation.

    Args:
        found: what is shown.
        title: said before the first table's own, e.g. the split.
        train_hours: of all sub-protocols together, where it is known.
    """
    first, *rest = tables([*found.results, _row("mean", found.mean), _row("± sd", found.sd)])
    each = published_table(found.results)  # whose notes are of results alone
    hours = [] if train_hours is None else [f"trained in {train_hours:.2f} hours"]
    head = f"{title}: {each.title[:1].lower()}{each.title[1:]}" if title else each.title
    return [evolve(first, title=head, note="\n".join(filter(None, [each.note, *hours]))), *rest]


def _row(name: str, metrics: Mapping[str, float]) -> Result:
    return Result(name, metrics, threshold=None, counts={}, species={})


def _by_key(keys: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(keys, values.tolist(), strict=True))
