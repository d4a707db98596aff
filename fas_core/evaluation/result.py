"""Judging a score table: every figure of one split at one threshold, as one frozen record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np
from attrs import asdict, frozen

from fas_core.errors import DataError, format_list
from fas_core.evaluation.bootstrap import Intervals, intervals
from fas_core.evaluation.metrics import BoundMetric, compute, or_null, species_apcer
from fas_core.records.samples import ATTACK
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold


@frozen
class SpeciesResult:
    """One attack species.

    Args:
        apcer: at the threshold, NaN without one.
        count: how many samples that is over.
        no_response: how many more gave no score.
    """

    apcer: float
    count: int
    no_response: int = 0


@frozen
class Result:
    """What one score table is worth at one threshold.

    Args:
        name: the split, or whatever else tells tables apart.
        metrics: `{figure: fraction}`, NaN where it is not defined.
        threshold: what `acc`, `apcer`, `bpcer` and `acer` are at; None when there was none.
        counts: as `ScoreTable.counts` gives them.
        species: by name, attacks only.
        notes: what a reader must know: why a figure is missing, what was left out, declared overlaps.
        intervals: how sure the figures are; None when that was not asked for.
    """

    name: str
    metrics: Mapping[str, float]
    threshold: Threshold | None
    counts: Mapping[str, int]
    species: Mapping[str, SpeciesResult]
    notes: tuple[str, ...] = ()
    intervals: Intervals | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: rates as fractions, null where they are not defined."""
        return {
            "name": self.name,
            "metrics": {key: or_null(value) for key, value in self.metrics.items()},
            "threshold": self.threshold and self.threshold.to_json(),
            "counts": dict(self.counts),
            "species": {
                name: {**asdict(found), "apcer": or_null(found.apcer)} for name, found in self.species.items()
            },
            "notes": list(self.notes),
            **({"intervals": self.intervals.to_json()} if self.intervals else {}),
        }


def evaluate(
    scores: ScoreTable,
    metrics: Sequence[BoundMetric],
    threshold: Threshold | None,
    *,
    name: str = "scores",
    notes: Sequence[str] = (),
    replicates: int = 0,
) -> Result:
    """Compute every metric of one score table.

    A split of one class gives what is defined, NaN for the rest and a note that says why.

    Args:
        scores: what is judged.
        metrics: what is computed.
        threshold: where samples are accepted; None leaves the figures that need one undefined.
        name: what the result is called, e.g. the split.
        notes: what else a reader must know.
        replicates: of the bootstrap that gives 95 % intervals; 0 for none.

    Raises:
        DataError: nothing is labelled.
        PluginError: two metrics give a figure of the same name.
    """
    counts = scores.counts()
    if counts["unknown"] == counts["total"]:
        raise DataError(
            f"{name}: none of the {len(scores)} samples has a label, so there is nothing to judge"
        )
    value = None if threshold is None else threshold.value
    figures = compute(scores, metrics, value)
    return Result(
        name=name,
        metrics=figures,
        threshold=threshold,
        counts=counts,
        species=_by_species(scores, value),
        notes=(*notes, *oracle_notes([threshold]), *_left_out(counts), *_undefined(figures, counts, value)),
        intervals=intervals(scores, metrics, value, replicates=replicates) if replicates else None,
    )


def oracle_notes(thresholds: Iterable[Threshold | None]) -> list[str]:
    """What has to be said where one of them was fitted on what it judges."""
    if not any(cut is not None and cut.oracle for cut in thresholds):
        return []
    return [
        "oracle: the threshold was fitted on these very scores: what was possible, not what can be claimed"
    ]


def _by_species(scores: ScoreTable, threshold: float | None) -> dict[str, SpeciesResult]:
    apcer = species_apcer(scores, threshold)
    names, codes = scores.species_codes()
    silent = np.bincount(codes[(scores.labels == ATTACK) & np.isnan(scores.scores)], minlength=len(names))
    no_response = dict(zip(names, silent.tolist(), strict=True))
    return {
        name: SpeciesResult(apcer[name], part.total, no_response[name])
        for name, part in scores.rates.species.items()
    }


def _left_out(counts: Mapping[str, int]) -> list[str]:
    reasons = {"no_response": "gave no score (NaN)", "unknown": "have no label"}
    return [
        f"{counts[key]} of {counts['total']} samples {reason} and are left out"
        for key, reason in reasons.items()
        if counts[key]
    ]


def _undefined(figures: Mapping[str, float], counts: Mapping[str, int], threshold: float | None) -> list[str]:
    missing = [key for key, value in figures.items() if isnan(value)]
    lacks = [
        text
        for text, lacking in (
            ("no live samples", not counts["live"]),
            ("no attacks", not counts["attack"]),
            ("no threshold", threshold is None),
        )
        if lacking
    ]
    if not missing:
        return []
    why = f"{' and '.join(lacks)}, so these are not defined" if lacks else "not defined for these scores"
    return [f"{why}: {format_list(missing, len(missing))}"]
