"""What a card holds for calibration: a summary of the model's own scores, and the threshold set at a site.

`fas_core.evaluation.calibration` sets the threshold from them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import asdict, frozen
from numpy.typing import NDArray

from fas_core.scores.ranked import Floats
from fas_core.scores.thresholds import Threshold

LEVELS = (0.0, 0.001, 0.002, 0.005, *(step / 100 for step in range(1, 100)), 0.995, 0.998, 0.999, 1.0)
"""Levels of the quantiles that `ScoreReference` holds."""

SMALLEST = 1e-6
"""Probabilities below this, or above 1 minus this, have the logit of this: float32 rounds them to 0 and 1."""

LIMIT = 0.005
"""Share of the live scores below, or of the attacks above, where a reference has hardly any."""


@frozen
class ScoreReference:
    """A summary of a model's scores on its own data, which the scores of another site are compared with.

    Args:
        live, attack: quantiles, at `LEVELS`, of the scores that the threshold was fitted on (dev or
            out-of-fold).
        samples: number of live scores or of attacks, the fewer.
        logit: whether the scores are probabilities, so that `center` and `deviation` are of their logits.
        people: number of subjects with live samples among those scores; 0 where they are not known.
        center: mean of the live medians of these people.
        deviation: standard deviation of the live medians of people in sessions, in train and dev.
        medians: number of these medians.
        sessions: number of sessions in training; 0 where they are not known.
    """

    live: tuple[float, ...]
    attack: tuple[float, ...]
    samples: int
    logit: bool
    people: int = 0
    center: float = 0.0
    deviation: float = 0.0
    medians: int = 0
    sessions: int = 0

    @property
    def supports_blend(self) -> bool:
        """Whether it knows enough people to tell how far their live medians are from each other."""
        return self.people >= 2 and self.medians >= 3 and self.deviation > 0

    def apcer(self, threshold: float) -> float:
        """Return the share of its attacks with `score >= threshold`, interpolated between its quantiles."""
        return 1 - float(np.interp(threshold, self.attack, LEVELS))

    def bpcer(self, threshold: float) -> float:
        """Return the share of its live scores below the threshold, interpolated between its quantiles."""
        return float(np.interp(threshold, self.live, LEVELS))

    def is_unseen(self, scores: Floats) -> NDArray[np.bool_]:
        """Return (N,) whether a score lies beyond all of its scores, or between live ones and attacks.

        At most `LIMIT` of the live scores, and of the attacks, lie on the far side of such a gap. Fewer than
        `1 / LIMIT` scores of a class cannot say where there are hardly any: then nothing is unseen.
        """
        if self.samples * LIMIT < 1:
            return np.zeros(len(scores), np.bool_)
        lowest, highest = min(self.live[0], self.attack[0]), max(self.live[-1], self.attack[-1])
        gap_start = float(np.interp(1 - LIMIT, LEVELS, self.attack))
        gap_end = float(np.interp(LIMIT, LEVELS, self.live))
        margin = 1e-6 * max(1.0, abs(lowest), abs(highest))  # rounding of the quantiles, int8 files
        beyond = (scores < lowest - margin) | (scores > highest + margin)
        return np.asarray(beyond | ((scores > gap_start) & (scores < gap_end)))


@frozen
class Calibration:
    """A threshold that was set on live photos of the place where a model is used.

    Args:
        threshold: the threshold that was set.
        shipped: the threshold before any calibration; None where there was none.
        rule: name of the rule, see `fas_core.evaluation.calibration`.
        bpcer: the target, in (0, 1).
        date: day of the calibration, as 2026-11-29.
        photos: number of live photos.
        people: number of people in them; 0 where they are not known.
        attacks: number of attacks that the threshold was tried on.
        rejected: share of the live photos below the threshold, where every person weighs the same.
        interval: 95 % interval of the site's BPCER at the threshold, by people, or by photos where these are
            not known.
        confidence: with which BPCER is at most the target; None where the rule promises nothing.
    """

    threshold: Threshold
    shipped: Threshold | None
    rule: str
    bpcer: float
    date: str
    photos: int
    people: int
    attacks: int
    rejected: float
    interval: tuple[float, float]
    confidence: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def to_scale(scores: Floats, logit: bool) -> Floats:
    """Return the scores, or the logits of probabilities."""
    if not logit:
        return scores
    clipped = np.clip(scores, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def from_scale(value: float, logit: bool) -> float:
    """Return the score of a value that `to_scale` gives."""
    return float(1 / (1 + np.exp(-value))) if logit else float(value)


def are_probabilities(scores: Floats) -> bool:
    """Return whether all scores are in [0, 1]."""
    finite = scores[np.isfinite(scores)]
    return len(finite) > 0 and bool(finite.min() >= 0 and finite.max() <= 1)
