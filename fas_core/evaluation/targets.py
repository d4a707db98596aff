"""Targets that figures must meet, and whether they do.

A figure meets a target when its whole interval does, and misses it when none of its interval meets it. Else
the samples cannot tell. The intervals are those of a result: over people, where these are known.

An interval of few people can be too narrow, because a bootstrap of them shows only what they happened to do.
So a target is met only by as many people as could show it without a single error: n of them without an error
leave 1 - 0.025 ** (1 / n) possible (`fas_core.evaluation.exact`), which is 5 % for 72 people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import ceil, isnan, log, nan
from typing import Any, Literal

from attrs import frozen

from fas_core.errors import ConfigError, suggest_closest
from fas_core.evaluation.formatting import figure_name, format_share, is_rate
from fas_core.evaluation.metrics import finite_or_none
from fas_core.evaluation.population import Population
from fas_core.evaluation.result import Result

Verdict = Literal["pass", "fail", "cannot tell"]

FORM = re.compile(r"(?P<metric>[^<>\s]+?)\s*(?P<sign><=|>=|:)\s*(?P<limit>[\d.]+(?:e-?\d+)?)")


@frozen
class Target:
    """The limit of a rate: at most `limit`, or at least where `at_least`."""

    metric: str
    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        sign = "at least" if self.at_least else "at most"
        return f"{figure_name(self.metric)} {sign} {format_share(self.limit)}"

    @property
    def needed(self) -> int | None:
        """How many people without a single error can show it; None where no number can."""
        error = 1 - self.limit if self.at_least else self.limit
        return None if error <= 0 else 1 if error >= 1 else ceil(log(0.025) / log(1 - error))


@frozen
class Judgement:
    """Whether a target is met.

    Args:
        target: the target.
        value: the figure; NaN where it is not defined.
        interval: of the figure.
        people: how many people, videos or samples the figure is a share of.
        by: `subject`, `video` or `sample`.
        species: the species that decides, for the APCER of the worst; else empty.
        verdict: `pass`, `fail` or `cannot tell`.
    """

    target: Target
    value: float
    interval: tuple[float, float]
    people: int
    by: str
    species: str
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return {
            "metric": self.target.metric,
            "limit": self.target.limit,
            "at_least": self.target.at_least,
            "value": finite_or_none(self.value),
            "interval": [*map(finite_or_none, self.interval)],
            "groups": self.people,
            "by": self.by,
            "needed": self.target.needed,
            "species": self.species or None,
            "verdict": self.verdict,
        }


def parse_targets(text: str) -> tuple[Target, ...]:
    """Parse `apcer_max<=0.05,bpcer<=0.1`; `bpcer:0.1` means the same, which a shell does not redirect.

    Raises:
        ConfigError: the text is not of this form, or a limit is not a rate.
    """
    targets = []
    for part in text.split(","):
        match = FORM.fullmatch(part.strip())
        try:
            limit = float(match["limit"]) if match else nan
        except ValueError:
            limit = nan
        if match is None or not 0 <= limit <= 1:
            raise ConfigError(
                f"--target {text!r}: must be METRIC<=RATE, or >=, with rates from 0 to 1, "
                f"e.g. 'apcer_max<=0.05,bpcer<=0.10'"
            )
        targets.append(Target(match["metric"], limit, match["sign"] == ">="))
    return tuple(targets)


def judge(result: Result, population: Population, targets: Sequence[Target]) -> tuple[Judgement, ...]:
    """Return whether a result meets each target; without intervals or a threshold that cannot be told.

    Nor can it of figures at an oracle threshold that seem to meet a target: it was fitted on these scores.

    Raises:
        ConfigError: the result has no such metric, or it is no rate.
    """
    known = [key for key in result.metrics if is_rate(key)]
    for target in targets:
        if target.metric not in known:
            raise ConfigError(
                f"--target {target.metric!r}: no such rate{suggest_closest(target.metric, known)}"
            )
    return tuple(_judge(result, population, target) for target in targets)


def combine_verdicts(judgements: Sequence[Judgement]) -> Verdict:
    """Return `fail` where one target is missed, else `cannot tell` where one is open, else `pass`."""
    verdicts = {judgement.verdict for judgement in judgements}
    return "fail" if "fail" in verdicts else "cannot tell" if "cannot tell" in verdicts else "pass"


def _judge(result: Result, population: Population, target: Target) -> Judgement:
    if target.metric == "apcer_max" and not target.at_least and result.species:
        return _judge_species(result, population, target)
    value, intervals = result.metrics.get(target.metric), result.intervals
    interval = (nan, nan) if intervals is None else intervals.figures.get(target.metric, (nan, nan))
    people = population.behind(target.metric, result.worst_species)
    verdict = _decide(target, interval, people, result)
    return Judgement(target, nan if value is None else value, interval, people, population.by, "", verdict)


def _judge_species(result: Result, population: Population, target: Target) -> Judgement:
    """Every species must meet the limit: also one without an error, of which there are too few people."""
    judgements = []
    for name, item in result.species.items():
        intervals = result.intervals
        interval = (nan, nan) if intervals is None else intervals.species.get(name, (nan, nan))
        people = population.species.get(name, 0)
        verdict = _decide(target, interval, people, result)
        judgements.append(Judgement(target, item.apcer, interval, people, population.by, name, verdict))
    order = ("fail", "cannot tell", "pass")
    return min(
        judgements,
        key=lambda item: (order.index(item.verdict), item.people, -item.value, item.species),
    )


def _decide(target: Target, interval: tuple[float, float], people: int, result: Result) -> Verdict:
    low, high = interval
    if isnan(low) or isnan(high):
        return "cannot tell"
    if (high < target.limit) if target.at_least else (low > target.limit):
        return "fail"
    met = low >= target.limit if target.at_least else high <= target.limit
    is_oracle = result.threshold is not None and result.threshold.oracle
    enough = target.needed is not None and people >= target.needed
    return "pass" if met and enough and not is_oracle else "cannot tell"
