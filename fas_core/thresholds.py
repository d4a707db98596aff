"""Where to draw the line: threshold policies, fitted on a dev set and applied elsewhere.

A sample is accepted as live when `score >= threshold`.
"""

from __future__ import annotations

import numpy as np
from attrs import asdict, frozen
from numpy.typing import NDArray

from fas_core.errors import ConfigError, DataError
from fas_core.scores import ScoreTable


@frozen
class Threshold:
    """A threshold and where it comes from.

    Args:
        value: accept when `score >= value`.
        policy: `eer`, or `fixed:VALUE`.
        source: what it was fitted on, e.g. `dev`; `given` when it was not fitted.
    """

    value: float
    policy: str
    source: str

    def to_json(self) -> dict[str, float | str]:
        return asdict(self)


@frozen(eq=False)
class ErrorRates:
    """Both error rates as step functions, at every threshold where either can change.

    Args:
        thresholds: (T,) ascending: below all scores, midpoints of distinct scores, above all.
        far: (T,) fraction of attacks with `score >= threshold` (APCER, pooled).
        frr: (T,) fraction of live samples with `score < threshold` (BPCER).
    """

    thresholds: NDArray[np.float64]
    far: NDArray[np.float64]
    frr: NDArray[np.float64]

    @classmethod
    def of(cls, live: NDArray[np.float64], attack: NDArray[np.float64]) -> ErrorRates:
        """From scores of live samples and attacks; both must be non-empty and without NaN."""
        distinct = np.unique(np.concatenate([live, attack]))
        middle = distinct[:-1] / 2 + distinct[1:] / 2
        # Neighbouring floats have no number between them: accept the upper one, as the rates say.
        middle = np.where(middle > distinct[:-1], middle, distinct[1:])
        thresholds = np.concatenate([distinct[:1], middle, [np.nextafter(distinct[-1], np.inf)]])
        below = np.searchsorted(np.sort(attack), thresholds, side="left")
        far = (len(attack) - below) / len(attack)
        frr = np.searchsorted(np.sort(live), thresholds, side="left") / len(live)
        return cls(thresholds, far, frr)

    def equal(self) -> tuple[float, float]:
        """(threshold, EER): where |FAR - FRR| is least over midpoints, and (FAR + FRR) / 2 there."""
        best = int(np.argmin(np.abs(self.far - self.frr)))
        return float(self.thresholds[best]), float(self.far[best] + self.frr[best]) / 2


def parse_policy(policy: str) -> float | None:
    """The value of `fixed:VALUE`, or None for a policy that is fitted (`eer`).

    Raises:
        ConfigError: it is neither.
    """
    if policy == "eer":
        return None
    name, _, value = policy.partition(":")
    try:
        if name == "fixed" and np.isfinite(number := float(value)):
            return number
    except ValueError:
        pass
    raise ConfigError(f"threshold {policy!r}: must be 'eer' (fitted on dev) or 'fixed:VALUE', e.g. fixed:0.5")


def fit_threshold(policy: str, dev: ScoreTable | None, source: str = "dev") -> Threshold:
    """The threshold that a policy gives; fitted policies need a labelled dev set of both classes.

    Raises:
        ConfigError: no such policy.
        DataError: the policy is fitted and dev is missing, unlabelled or of one class.
    """
    value = parse_policy(policy)
    if value is not None:
        return Threshold(value, policy, "given")
    if dev is None or not (len(dev.live) and len(dev.attack)):
        found = "no dev scores" if dev is None else "dev scores of one class or without labels"
        raise DataError(
            f"threshold {policy!r} is fitted on dev, and there are {found}: give --threshold fixed:VALUE"
        )
    if np.isnan(dev.scores).any():
        raise DataError(f"threshold {policy!r}: dev scores hold NaN")
    return Threshold(ErrorRates.of(dev.live, dev.attack).equal()[0], policy, source)
