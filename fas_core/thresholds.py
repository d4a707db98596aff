"""Where to draw the line: threshold policies, fitted on a dev set and applied elsewhere.

A sample is accepted as live when `score >= threshold`.
"""

from __future__ import annotations

from math import isfinite

from attrs import asdict, frozen

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


def parse_policy(policy: str) -> float | None:
    """The value of `fixed:VALUE`, or None for a policy that is fitted (`eer`).

    Raises:
        ConfigError: it is neither.
    """
    if policy == "eer":
        return None
    name, _, value = policy.partition(":")
    try:
        if name == "fixed" and isfinite(number := float(value)):
            return number
    except ValueError:
        pass
    raise ConfigError(f"threshold {policy!r}: must be 'eer' (fitted on dev) or 'fixed:VALUE', e.g. fixed:0.5")


def fit_threshold(policy: str, dev: ScoreTable | None, source: str = "dev") -> Threshold:
    """The threshold that a policy gives; fitted policies need labelled dev scores of both classes.

    Raises:
        ConfigError: no such policy.
        DataError: the policy is fitted and there are no dev scores of both classes.
    """
    value = parse_policy(policy)
    if value is not None:
        return Threshold(value, policy, "given")
    if dev is None or not dev.rates.both:
        raise DataError(
            f"threshold {policy!r} is fitted on {source}, and {_lack(dev, source)}: "
            f"give one outright, e.g. --threshold fixed:0.5"
        )
    return Threshold(dev.rates.equal()[0], policy, source)


def _lack(dev: ScoreTable | None, source: str) -> str:
    if dev is None:
        return f"there are no {source} scores"
    counts = dev.counts()
    return f"of its {len(dev)} samples {counts['live']} live and {counts['attack']} attacks have a score"
