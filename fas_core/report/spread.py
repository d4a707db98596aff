"""Several sub-protocols of one protocol: the figures of each, their mean and standard deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from fas_core.console import Table
from fas_core.report.metrics import or_null
from fas_core.report.result import Result
from fas_core.report.tables import tables


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
    of_all = [_row("mean", found.mean), _row("± sd", found.sd)]
    first, *rest = tables([*found.results, *of_all])
    head = f"{title}: rates in %" if title else "Rates in %"
    hours = [] if train_hours is None else [f"trained in {train_hours:.2f} hours"]
    note = "\n".join([*map(_threshold, found.results), *_notes(found.results), *hours])
    return [evolve(first, title=f"{head}, each at the threshold of its own protocol", note=note), *rest]


def _row(name: str, metrics: Mapping[str, float]) -> Result:
    return Result(name, metrics, threshold=None, counts={}, species={})


def _by_key(keys: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(keys, values.tolist(), strict=True))


def _threshold(result: Result) -> str:
    if (found := result.threshold) is None:
        return f"{result.name}: no threshold"
    origin = found.policy if found.source == "given" else f"{found.policy} on {found.source}"
    return f"{result.name}: accepted when score >= {found.value:.6g} ({origin})"


def _notes(results: Sequence[Result]) -> list[str]:
    """Notes that all have, once; the others with whose they are."""
    shared = [note for note in results[0].notes if all(note in result.notes for result in results)]
    own = [f"{result.name}: {note}" for result in results for note in result.notes if note not in shared]
    return [*shared, *own]
