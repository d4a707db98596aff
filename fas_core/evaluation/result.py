"""Evaluation of a score table: every metric of one split at one threshold, as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any

import numpy as np
from attrs import asdict, frozen

from fas_core.console import console
from fas_core.errors import DataError
from fas_core.evaluation.error_counts import (
    ErrorCounts,
    SmallCount,
    find_small_counts,
    find_warnings,
    looks_inverted,
)
from fas_core.evaluation.intervals import Intervals, bootstrap_intervals
from fas_core.evaluation.metrics import BoundMetric, compute_answered, finite_values, species_apcer
from fas_core.evaluation.result_notes import (
    describe_excluded,
    describe_uncertain,
    describe_undefined,
    oracle_notes,
)
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ATTACK, ScoreTable
from fas_core.scores.thresholds import Threshold


@frozen
class SpeciesResult:
    """One PAI species at the threshold.

    Args:
        apcer: of the attacks with a verdict; NaN without a threshold or such attacks.
        count: number of attacks with a score.
        no_response: number of attacks without one.
        accepted: number of attacks accepted; None without a threshold.
        uncertain: number of attacks with a score that is uncertain.
    """

    apcer: float
    count: int
    no_response: int = 0
    accepted: int | None = None
    uncertain: int = 0

    @property
    def apnrr(self) -> float:
        """Share of the attacks without a response: no score, or an uncertain one."""
        return divide(self.uncertain + self.no_response, self.count + self.no_response)


@frozen
class Result:
    """The evaluation of one score table at one threshold, if there was one.

    Args:
        name: the split, or whatever else tells tables apart.
        metrics: `{name: fraction}`, NaN where it is not defined, None where the metric failed.
        counts: see `ScoreTable.counts`.
        notes: what a reader must know: why a metric is missing, what was left out, declared overlaps.
        errors: numbers of errors; None without a threshold.
    """

    name: str
    metrics: Mapping[str, float | None]
    threshold: Threshold | None
    counts: Mapping[str, int]
    species: Mapping[str, SpeciesResult]
    notes: tuple[str, ...] = ()
    intervals: Intervals | None = None
    errors: ErrorCounts | None = None

    @property
    def threshold_value(self) -> float | None:
        return None if self.threshold is None else self.threshold.value

    @property
    def reject(self) -> RejectBand | None:
        """The uncertain scores; None where every score has a verdict."""
        return None if self.threshold is None else self.threshold.reject

    @property
    def live_no_response(self) -> int:
        """Number of live samples without a score."""
        return self.counts.get("no_response", 0) - sum(item.no_response for item in self.species.values())

    @property
    def non_response(self) -> dict[str, float]:
        """Non-response rates of ISO/IEC 30107-3, NaN where a class has no samples.

        A sample without a score or with an uncertain one is a non-response. APNRR is of attacks, of the worst
        PAI species and pooled, BPNRR of live samples.
        """
        attacks, live = self.species.values(), self.counts.get("live", 0) + self.live_no_response
        missing = sum(item.no_response + item.uncertain for item in attacks)
        uncertain = 0 if self.errors is None else self.errors.uncertain[1]
        rates = [item.apnrr for item in attacks if not isnan(item.apnrr)]
        return {
            "apnrr_max": max(rates, default=nan),
            "apnrr": divide(missing, sum(item.count + item.no_response for item in attacks)),
            "bpnrr": divide(uncertain + self.live_no_response, live),
        }

    @property
    def worst_species(self) -> str | None:
        """The PAI species with the highest APCER; that of the intervals where several have the same."""
        if self.intervals is not None:
            return self.intervals.worst
        rates = {name: item for name, item in self.species.items() if not isnan(item.apcer)}
        return min(rates, key=lambda name: (-rates[name].apcer, rates[name].count), default=None)

    @property
    def summary(self) -> str:
        """The errors in plain words, and the threshold."""
        counts = self.counts
        if self.errors is None or self.threshold is None:
            samples = f"{counts.get('attack', 0)} attacks and {counts.get('live', 0)} live samples"
            return f"{self.name}: {samples}; no threshold, so none is accepted or refused"
        missing = f"; {counts['no_response']} gave no score" if counts["no_response"] else ""
        return f"{self.name}: {self.errors.describe()}{missing}; {self.threshold.text()}"

    @property
    def warnings(self) -> list[str]:
        """One sentence for each way in which the model is of no use."""
        return [f"{self.name}: {text}" for text in find_warnings(self.metrics, self.errors)]

    @property
    def looks_inverted(self) -> bool:
        """Whether labels or scores seem to have the opposite direction."""
        return looks_inverted(self.metrics)

    @property
    def small_counts(self) -> dict[str, SmallCount]:
        """The metrics at a target rate that stand on too few samples for it."""
        species = {name: item.count for name, item in self.species.items()}
        return find_small_counts(self.metrics, self.counts, species)

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
            "errors": self.errors and self.errors.to_json(),
            "non_response": finite_values(self.non_response),
            "worst_species": self.worst_species,
            "summary": self.summary,
            "warnings": self.warnings,
            "small_counts": {key: item.to_json() for key, item in self.small_counts.items()},
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
    says why. Where the threshold has a band of uncertain scores, rates at the threshold count the samples
    outside of it, and `Result.non_response` counts those in it.

    Raises:
        DataError: no sample has a label.
    """
    counts = scores.counts()
    if counts["unknown"] == counts["total"]:
        unlabelled = f"none of the {len(scores)} samples has a label"
        raise DataError(f"{name}: {unlabelled}, so there is nothing to evaluate")
    value = None if threshold is None else threshold.value
    reject = None if threshold is None else threshold.reject
    answered = scores if reject is None else scores.without_responses(reject.low, reject.high)
    failures: list[str] = []
    values = compute_answered(scores, answered, metrics, value, failures)
    for failure in failures:
        console.warn_once(failure)
    species = _evaluate_species(scores, answered, value)
    errors = None if value is None else _count_errors(scores, answered, species, value)
    return Result(
        name=name,
        metrics=values,
        threshold=threshold,
        counts=counts,
        species=species,
        notes=(
            *notes,
            *oracle_notes([threshold]),
            *describe_excluded(counts),
            *describe_uncertain(errors),
            *describe_undefined(values, counts, value),
            *failures,
        ),
        intervals=bootstrap_intervals(scores, metrics, value, reject=reject, replicates=replicates)
        if replicates
        else None,
        errors=errors,
    )


def divide(count: int, total: int) -> float:
    """Return a share; NaN of nothing."""
    return count / total if total else nan


def _evaluate_species(
    scores: ScoreTable, answered: ScoreTable, threshold: float | None
) -> dict[str, SpeciesResult]:
    apcer = species_apcer(answered, threshold)
    names, codes = scores.encode_species()
    no_response = codes[(scores.labels == ATTACK) & np.isnan(scores.scores)]
    missing = dict(zip(names, np.bincount(no_response, minlength=len(names)).tolist(), strict=True))
    results = {}
    for name, ranked in scores.rates.species.items():
        with_verdict = answered.rates.species[name]
        accepted = None if threshold is None else int(with_verdict.count_at_least(threshold))
        uncertain = ranked.total - with_verdict.total
        results[name] = SpeciesResult(apcer[name], ranked.total, missing[name], accepted, uncertain)
    return results


def _count_errors(
    scores: ScoreTable, answered: ScoreTable, species: Mapping[str, SpeciesResult], threshold: float
) -> ErrorCounts:
    live, attack = answered.rates.live, answered.rates.attack
    return ErrorCounts(
        accepted=int(attack.count_at_least(threshold)),
        attacks=attack.total,
        refused=int(live.count_below(threshold)),
        live=live.total,
        species={name: (item.accepted or 0, item.count - item.uncertain) for name, item in species.items()},
        uncertain=(scores.rates.attack.total - attack.total, scores.rates.live.total - live.total),
    )
