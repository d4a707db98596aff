"""Set a threshold on live photos of the place where a model is used, for a target BPCER.

| rule | threshold |
|---|---|
| `conformal` | the order statistic of people that keeps BPCER at most the target with stated confidence |
| `blend` | between the shipped threshold and a low quantile of live scores, by the number of people |
| `quantile` | the quantile of live scores at the target, every person weighing the same |

With r - 1 of n people below the threshold, BPCER of people like them is at most the target with probability
P(Bin(n, target) >= r): order statistics of exchangeable people, as in split-conformal prediction
(A. N. Angelopoulos and S. Bates, A Gentle Introduction to Conformal Prediction, arXiv 2107.07511, section 1
and appendix C). Several photos of one person share the person's weight.

`blend` promises nothing; it is for few people, whose low quantile says little. Where the site's live medians
are as far from dev's as those of people and sessions of training are from each other, k people move the
threshold by k / (k + PRIOR_PEOPLE) of the way to the site's quantile; where they are farther, the shipped
threshold is of another world, and the quantile is the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, lgamma, log, log1p

import numpy as np
from attrs import frozen

from fas_core.errors import DataError
from fas_core.evaluation.exact import share_interval
from fas_core.scores.calibration import Calibration, ScoreReference, from_scale, to_scale
from fas_core.scores.live_scores import group_live_scores
from fas_core.scores.ranked import Floats
from fas_core.scores.table import LIVE, ScoreTable
from fas_core.scores.thresholds import CALIBRATED, Threshold

RULES = ("conformal", "blend", "quantile")

PRIOR_PEOPLE = 4
"""The shipped threshold weighs as much as so many people of the site."""

BLEND_SHARE = 0.2
"""The quantile of `blend` is this share of the target: 1 % for a BPCER of 5 %."""

GATE = 3.0
"""Standard errors from dev's live median beyond which the site is another world."""


@frozen
class CalibrationPlan:
    """What a calibration is to reach.

    Args:
        bpcer: largest BPCER, in (0, 1).
        confidence: with which `conformal` keeps it, in (0, 1).
        rule: of `RULES`; None for `conformal` where there are enough people, else `blend` where the model's
            card supports it, else `quantile`.
    """

    bpcer: float = 0.05
    confidence: float = 0.95
    rule: str | None = None

    @property
    def people_needed(self) -> int:
        """The number of people from which `conformal` is possible."""
        return ceil(log1p(-self.confidence) / log1p(-self.bpcer) - 1e-9)


def calibrate(
    site: ScoreTable,
    shipped: Threshold | None,
    reference: ScoreReference | None,
    plan: CalibrationPlan,
    *,
    date: str,
    attacks: int = 0,
) -> Calibration:
    """Set a threshold on the live scores of a site; without subjects all photos may be of one person.

    Args:
        shipped: the model's threshold before any calibration.
        reference: summary of the model's own scores.
        date: recorded in the result.
        attacks: recorded in the result.

    Raises:
        DataError: there are no live scores, or the plan's rule needs more people or another card.
    """
    people, known = _split_by_person(site)
    units = people if known else [np.array([score]) for score in people[0]]
    rule = plan.rule or _choose_rule(len(people) if known else 0, shipped, reference, plan)
    confidence = None
    if rule == "conformal":
        rank, confidence = find_rank(len(units), plan.bpcer, plan.confidence)
        if not rank:
            kind = "people" if known else "photos"
            raise DataError(f"{_describe_needs(plan)}, and there are {len(units)} {kind}")
        value = find_quantile(units, (rank - 1) / len(units))
    elif rule == "blend":
        if shipped is None or reference is None or not reference.supports_blend:
            raise DataError(
                "rule blend: the model's card has no threshold, or no live medians of people: it was "
                "exported by an earlier fas, or its data names no subjects"
            )
        value = blend_thresholds(people, shipped.value, reference, plan.bpcer)
    else:
        value = find_quantile(people, plan.bpcer)
    rejected = share_below(units, value)
    count = f"{len(people)} people" if known else f"{len(units)} photos"
    return Calibration(
        threshold=Threshold(value, f"{CALIBRATED}{plan.bpcer:g}", f"{count}, {date}"),
        shipped=shipped,
        rule=rule,
        bpcer=plan.bpcer,
        date=date,
        photos=sum(map(len, people)),
        people=len(people) if known else 0,
        attacks=attacks,
        rejected=rejected,
        interval=share_interval(rejected, len(units)),
        confidence=confidence,
    )


def find_rank(count: int, rate: float, confidence: float) -> tuple[int, float]:
    """Return the largest r with P(Bin(count, rate) >= r) >= confidence, and that probability; 0 where none.

    >>> find_rank(58, 0.05, 0.95)[0], find_rank(59, 0.05, 0.95)[0], find_rank(93, 0.05, 0.95)[0]
    (0, 1, 2)
    """
    hits = np.arange(count + 1)
    choose = np.array([lgamma(k + 1) + lgamma(count - k + 1) for k in hits.tolist()])
    probabilities = np.exp(lgamma(count + 1) - choose + hits * log(rate) + (count - hits) * log1p(-rate))
    tail = np.cumsum(probabilities[::-1])[::-1]
    ranks = np.flatnonzero(tail[1:] >= confidence) + 1
    return (int(ranks[-1]), float(tail[ranks[-1]])) if len(ranks) else (0, 0.0)


def share_below(people: Sequence[Floats], threshold: float) -> float:
    """Return the share of scores below the threshold, every person weighing the same."""
    return float(np.mean([np.mean(scores < threshold) for scores in people]))


def find_quantile(people: Sequence[Floats], share: float) -> float:
    """Return the highest score with at most this share below it, every person weighing the same."""
    scores = np.concatenate(people)
    weights = np.concatenate([np.full(len(item), 1 / (len(item) * len(people))) for item in people])
    order = np.argsort(scores, kind="stable")
    scores, below = scores[order], np.cumsum(weights[order]) - weights[order]
    first = np.searchsorted(scores, scores, "left")  # ties have the same scores below them
    return float(scores[below[first] <= share + 1e-9][-1])


def blend_thresholds(
    people: Sequence[Floats], shipped: float, reference: ScoreReference, bpcer: float
) -> float:
    """Return the threshold of the rule `blend` for the live scores of k people of a site."""
    site = [to_scale(scores, reference.logit) for scores in people]
    quantile, count = find_quantile(site, BLEND_SHARE * bpcer), len(site)
    if is_other_world(people, reference):
        return from_scale(quantile, reference.logit)
    own = float(to_scale(np.array([shipped]), reference.logit)[0])
    weight = count / (count + PRIOR_PEOPLE)
    return from_scale((1 - weight) * own + weight * quantile, reference.logit)


def is_other_world(people: Sequence[Floats], reference: ScoreReference) -> bool:
    """Return whether the site's live medians are farther from dev's than those of training's people are."""
    distance = np.mean([np.median(to_scale(scores, reference.logit)) for scores in people]) - reference.center
    variance = reference.deviation**2 * (1 / len(people) + 1 / reference.people)
    return bool(distance**2 > GATE**2 * variance)


def describe_promise(
    calibration: Calibration, reference: ScoreReference | None, plan: CalibrationPlan
) -> list[str]:
    """Return what the threshold promises, what that takes, and what it cannot promise."""
    if calibration.confidence is not None:
        count, unit = calibration.people, "people"
        if not count:
            count, unit = calibration.photos, "photos, if each is of another person"
        share, confidence = 100 * plan.bpcer, 100 * calibration.confidence
        lines = [
            f"BPCER at most {share:.3g} % with {confidence:.1f} % confidence, as for these {count} {unit}"
        ]
    else:
        lines = [f"no promise: {_describe_needs(plan)}"]
        if not calibration.people:
            lines.append(
                "the photos' people are not known: give a folder for each person, or a manifest with subjects"
            )
    if calibration.rule == "blend" and reference is not None and reference.sessions < 2:
        sessions = "one session" if reference.sessions else "sessions that are not known"
        lines.append(
            f"trained on {sessions}: how far scores move from one session to another is not known, so this "
            "threshold promises nothing; look at it again with attacks of this place (--attacks)"
        )
    lines.append("it does not hold for other cameras, lights and people than those of the photos")
    if calibration.shipped is not None and calibration.shipped.reject is not None:
        lines.append(
            "the uncertain scores were around the shipped threshold, so none are now: --reject LOW:HIGH of "
            "predict, eval and serve sets some"
        )
    return lines


def _describe_needs(plan: CalibrationPlan) -> str:
    share, confidence = 100 * plan.bpcer, 100 * plan.confidence
    needed = plan.people_needed
    return f"BPCER at most {share:.3g} % with {confidence:.3g} % confidence takes photos of {needed} people"


def _choose_rule(
    people: int, shipped: Threshold | None, reference: ScoreReference | None, plan: CalibrationPlan
) -> str:
    """Return the rule for a number of people, 0 where they are not known."""
    if people >= plan.people_needed:
        return "conformal"
    supported = shipped is not None and reference is not None and reference.supports_blend
    return "blend" if supported else "quantile"


def _split_by_person(site: ScoreTable) -> tuple[list[Floats], bool]:
    """Return the live scores of each person, and whether people are known; else all are of one."""
    people = group_live_scores(site)
    if people:
        return people, True
    values = site.scores
    scores = values[(site.labels == LIVE) & ~np.isnan(values)]
    if not len(scores):
        raise DataError("no live photo has a score, so there is nothing to calibrate on")
    return [scores], False
