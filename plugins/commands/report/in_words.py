"""The first thing of a report: each system in plain words, and whether it meets the targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from fas_core.evaluation.plain_words import describe, describe_judgement
from fas_core.evaluation.targets import Judgement, Verdict, combine_verdicts
from fas_plugins.commands.report.systems import EvaluatedSystem

MODEL = "Model"
"""Heading of what a system is."""

UNKNOWN_MODEL = "Not known: these are scores without their model."


@frozen
class TargetInWords:
    """Whether a target is met, and why."""

    verdict: Verdict
    text: str


@frozen
class SystemInWords:
    """One system for readers who know no metrics.

    Args:
        name: of the system.
        verdict: on all targets; None where there are none.
        facts: `{heading: sentences}`.
        targets: one by one.
    """

    name: str
    verdict: Verdict | None
    facts: Mapping[str, str]
    targets: Sequence[TargetInWords]


def put_in_words(system: EvaluatedSystem) -> SystemInWords:
    """Return what a system is, on whom it was judged, what it lets pass and whom it refuses."""
    model = f"{system.model}." if system.model else UNKNOWN_MODEL
    facts = {MODEL: model, **describe(system.result, system.population)}
    targets = [TargetInWords(item.verdict, describe_target(item)) for item in system.judgements]
    verdict = combine_verdicts(system.judgements) if system.judgements else None
    return SystemInWords(system.name, verdict, facts, targets)


def describe_target(judgement: Judgement) -> str:
    """Return e.g. `APCER worst at most 5 %: it is 2.5 % of print, 0.1 % to 4 % by 90 people`."""
    return f"{judgement.target}: {describe_judgement(judgement)}"
