"""Evaluation of a score table: every metric of one split at one threshold, as one frozen record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np
from attrs import asdict, frozen

from fas_core.console import console
from fas_core.errors import DataError, format_list
from fas_core.evaluation.bootstrap import Intervals, bootstrap_intervals
from fas_core.evaluation.metrics import BoundMetric, compute_metrics, finite_values, species_apcer
from fas_core.scores.table import ATTACK, ScoreTable
from fas_core.scores.thresholds import Threshold

ORACLE = "oracle: the threshold was fitted on these very scores: what was possible, not what can be claimed"


@frozen
class SpeciesResult:
    """One PAI species: APCER at the threshold (NaN without one), attacks with a score, and those without."""

    apcer: float
    count: int
    no_response: int = 0


@frozen
class Result:
    """The evaluation of one score table at one threshold, if there was one.

    Args:
        name: the split, or whatever else tells tables apart.
        metrics: `{name: fraction}`, NaN where it is not defined.
        counts: see `ScoreTable.counts`.
        notes: what a reader must know: why a metric is missing, what was left out, declared overlaps.
    """

    name: str
    metrics: Mapping[str, float]
    threshold: Threshold | None
    counts: Mapping[str, int]
    species: Mapping[str, SpeciesResult]
    notes: tuple[str, ...] = ()
    intervals: Intervals | None = None

    @property
    def threshold_value(self) -> float | None:
        return None if self.threshold is None else self.threshold.value

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON: rates as fractions, null where they are not defined."""
        apcer = finite_values({name: species.apcer for name, species in self.species.items()})
        return {
            "name": self.name,
            "metrics": finite_values(self.metrics),
            "threshold": self.threshold and self.threshold.to_json(),
            "counts": dict(self.counts),
            "species": {name: asdict(item) | {"apcer": apcer[name]} for name, item in self.species.items()},
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
    """Compute every metric of one score table, and 95 % intervals if there are `replicates` of a bootstrap.

    Metrics are NaN where they are not defined, as without a threshold or in a split of one class, and a note
    says why.

    Raises:
        DataError: no sample has a label.
    """
    counts = scores.counts()
    if counts["unknown"] == counts["total"]:
        unlabelled = f"none of the {len(scores)} samples has a label"
        raise DataError(f"{name}: {unlabelled}, so there is nothing to evaluate")
    value = None if threshold is None else threshold.value
    failures: list[str] = []
    values = compute_metrics(scores, metrics, value, failures)
    for failure in failures:
        console.warn_once(failure)
    return Result(
        name=name,
        metrics=values,
        threshold=threshold,
        counts=counts,
        species=_evaluate_species(scores, value),
        notes=(
            *notes,
            *oracle_notes([threshold]),
            *_excluded(counts),
            *_undefined(values, counts, value),
            *failures,
        ),
        intervals=bootstrap_intervals(scores, metrics, value, replicates=replicates) if replicates else None,
    )


def oracle_notes(thresholds: Iterable[Threshold | None]) -> list[str]:
    """A warning if a threshold was fitted on the very scores that are evaluated."""
    return [ORACLE] if any(threshold is not None and threshold.oracle for threshold in thresholds) else []


def _evaluate_species(scores: ScoreTable, threshold: float | None) -> dict[str, SpeciesResult]:
    apcer = species_apcer(scores, threshold)
    names, codes = scores.encode_species()
    no_response = codes[(scores.labels == ATTACK) & np.isnan(scores.scores)]
    missing = dict(zip(names, np.bincount(no_response, minlength=len(names)).tolist(), strict=True))
    return {
        name: SpeciesResult(apcer[name], ranked.total, missing[name])
        for name, ranked in scores.rates.species.items()
    }


def _excluded(counts: Mapping[str, int]) -> list[str]:
    reasons = {"no_response": "gave no score (NaN)", "unknown": "have no label"}
    return [
        f"{counts[key]} of {counts['total']} samples {reason} and are left out"
        for key, reason in reasons.items()
        if counts[key]
    ]


def _undefined(values: Mapping[str, float], counts: Mapping[str, int], threshold: float | None) -> list[str]:
    undefined = [key for key, value in values.items() if isnan(value)]
    if not undefined:
        return []
    causes = {"no live samples": not counts["live"], "no attacks": not counts["attack"]}
    causes["no threshold"] = threshold is None
    reasons = " and ".join(cause for cause, applies in causes.items() if applies)
    why = f"{reasons}, so these are not defined" if reasons else "not defined for these scores"
    return [f"{why}: {format_list(undefined, len(undefined))}"]
