"""A rule that makes one score of several, and what is kept of an ensemble."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from attrs import asdict, frozen

from fas_core.atomic import replacing
from fas_core.config.structure import structure
from fas_core.errors import FasError
from fas_core.registry import Registry
from fas_core.scores.ranked import Floats
from fas_core.scores.thresholds import Threshold

RuleName = Literal["mean", "weighted", "stacking", "published"]
RULES: tuple[RuleName, ...] = get_args(RuleName)


@frozen
class Rule:
    """A rule, fitted: all that is needed to apply it again.

    Args:
        name: one of `RULES`.
        members: what it was fitted for, in order.
        weights: one a member; of `published` none.
        bias: of `stacking`.
        t: of `published`.
    """

    name: RuleName
    members: tuple[str, ...]
    weights: tuple[float, ...] = ()
    bias: float = 0.0
    t: float | None = None

    def __call__(self, scores: Floats) -> Floats:
        """(K members, N) -> (N,); NaN where any member's is."""
        if self.name == "mean":
            return np.asarray(scores.mean(axis=0))
        if self.name == "published":
            above = scores.mean(axis=0) > self.t
            return np.asarray(np.where(above, scores.max(axis=0), scores.min(axis=0)))
        total = (np.asarray(self.weights)[:, None] * scores).sum(axis=0)
        return np.asarray(total if self.name == "weighted" else _logistic(self.bias + total))

    def is_whole(self) -> bool:
        """Whether it has what its name needs, and nothing else."""
        weights = len(self.members) if self.name in ("weighted", "stacking") else 0
        numbers = (*self.weights, self.bias, self.t or 0.0)
        return (
            bool(self.members)
            and len(self.weights) == weights
            and (self.t is not None) == (self.name == "published")
            and all(map(isfinite, numbers))
        )


@frozen
class Ensemble:
    """What was fitted on dev: enough to score and judge other samples of the same members.

    Args:
        threshold: of the ensemble's scores; None where there were no dev scores to fit it on.
        thresholds: one a member; none likewise.
    """

    rule: Rule
    threshold: Threshold | None = None
    thresholds: tuple[Threshold, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data, without what is as by default."""
        rule = asdict(self.rule, filter=lambda field, value: value != field.default)
        return {
            "rule": rule,
            "threshold": self.threshold and self.threshold.to_json(),
            "thresholds": [threshold.to_json() for threshold in self.thresholds],
        }

    def write(self, path: Path) -> None:
        """Write JSON; numbers read back as they were.

        Raises:
            FasError: the file cannot be written.
        """
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Ensemble:
        """Read what `write` wrote.

        Raises:
            FasError: the file is not there or is no such document.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise FasError(f"{path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise FasError(f"{path}: not an ensemble that fas wrote: {error}") from error
        ensemble = structure(found, cls, Registry(()), str(path))
        if not ensemble.rule.is_whole() or len(ensemble.thresholds) not in (0, len(ensemble.rule.members)):
            raise FasError(f"{path}: a {ensemble.rule.name!r} rule without what it needs, or with more")
        return ensemble


def _logistic(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow, and exact near 0."""
    with np.errstate(invalid="ignore"):  # NaN stays what it is
        return np.asarray(np.exp(-np.logaddexp(0, -x)))
