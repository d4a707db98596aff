"""Notes under a table of metrics: an oracle's threshold, and what is uncertain, left out or not defined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isnan

from fas_core.errors import format_list
from fas_core.evaluation.error_counts import ErrorCounts
from fas_core.scores.thresholds import Threshold

ORACLE = "oracle: the threshold was fitted on these very scores: what was possible, not what can be claimed"


def oracle_notes(thresholds: Iterable[Threshold | None]) -> list[str]:
    """A warning if a threshold was fitted on the very scores that are evaluated."""
    return [ORACLE] if any(threshold is not None and threshold.oracle for threshold in thresholds) else []


def describe_uncertain(errors: ErrorCounts | None) -> list[str]:
    """Return a note if there are uncertain scores."""
    if errors is None or not any(errors.uncertain):
        return []
    attacks, live = errors.uncertain
    return [
        f"{attacks} of {errors.attacks + attacks} attacks and {live} of {errors.live + live} live samples "
        "are uncertain: APNRR and BPNRR count them, rates at the threshold the others"
    ]


def describe_excluded(counts: Mapping[str, int]) -> list[str]:
    """Return a note for each kind of samples that no metric counts."""
    reasons = {"no_response": "gave no score (NaN)", "unknown": "have no label"}
    return [
        f"{counts[key]} of {counts['total']} samples {reason} and are left out"
        for key, reason in reasons.items()
        if counts[key]
    ]


def describe_undefined(
    values: Mapping[str, float | None], counts: Mapping[str, int], threshold: float | None
) -> list[str]:
    """Return a note on the metrics that are NaN, and why."""
    undefined = [key for key, value in values.items() if value is not None and isnan(value)]
    if not undefined:
        return []
    causes = {"no live samples": not counts["live"], "no attacks": not counts["attack"]}
    causes["no threshold"] = threshold is None
    reasons = " and ".join(cause for cause, applies in causes.items() if applies)
    why = f"{reasons}, so these are not defined" if reasons else "not defined for these scores"
    return [f"{why}: {format_list(undefined, len(undefined))}"]
