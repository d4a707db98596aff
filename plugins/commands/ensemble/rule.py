"""A fitted rule that combines scores, and the ensemble that is stored as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from attrs import asdict, frozen

from fas_core.atomic import replacing
from fas_core.config.plain import structure_plain
from fas_core.digests import check_record, seal_record
from fas_core.errors import FasError
from fas_core.scores.ranked import Floats
from fas_core.scores.thresholds import Threshold
from fas_core.text_files import read_json

RuleName = Literal["mean", "weighted", "stacking", "published"]
RULES: tuple[RuleName, ...] = get_args(RuleName)


@frozen
class FittedRule:
    """A rule with its parameters, ready to combine scores.

    Args:
        name: one of `RULES`.
        members: names of the K members, in the order of their scores.
        weights: K weights, of `weighted` and `stacking`; else empty.
        bias: bias of `stacking`.
        t: mean score above which `published` takes the largest score.
    """

    name: RuleName
    members: tuple[str, ...]
    weights: tuple[float, ...] = ()
    bias: float = 0.0
    t: float | None = None

    def combine(self, scores: Floats) -> Floats:
        """Return the scores (N,) of the ensemble for its members' scores (K, N); NaN where one is NaN."""
        if self.name == "mean":
            return np.asarray(scores.mean(axis=0))
        if self.name == "published":
            above = scores.mean(axis=0) > self.t
            return np.asarray(np.where(above, scores.max(axis=0), scores.min(axis=0)))
        total = (np.asarray(self.weights)[:, None] * scores).sum(axis=0)
        return np.asarray(total if self.name == "weighted" else _logistic(self.bias + total))

    def is_complete(self) -> bool:
        """Return whether the parameters are finite and exactly those that the rule needs."""
        weights = len(self.members) if self.name in ("weighted", "stacking") else 0
        numbers = (*self.weights, self.bias, self.t or 0.0)
        return (
            bool(self.members)
            and len(self.weights) == weights
            and (self.t is not None) == (self.name == "published")
            and all(map(isfinite, numbers))
        )

    def describe(self, names: Sequence[str]) -> str:
        """Return the rule and its parameters for a person, e.g. `weighted: 0.25 of a, 0.75 of b`.

        Args:
            names: what the K members are called now; a stored rule may have been fitted for other files.
        """
        if self.name == "published":
            return f"published: the largest score where the mean is above {self.t:.6g}, else the smallest"
        if not self.weights:
            return f"{self.name}: of {len(names)} members"
        weights = zip(self.weights, names, strict=True)
        text = ", ".join(f"{weight:.4g} of {name}" for weight, name in weights)
        return f"{self.name}: {text}" + (f", bias {self.bias:.4g}" if self.name == "stacking" else "")


@frozen
class Ensemble:
    """A fitted rule and thresholds: enough to score and evaluate further samples of the same members.

    Args:
        rule: the fitted rule.
        threshold: threshold of the ensemble's scores; None where there were no dev scores to fit it on.
        thresholds: one for each member; empty in the same case.
        weights: digest of each member's weights, see `ScoreSources.read_digests`; None for a score file.
    """

    rule: FittedRule
    threshold: Threshold | None = None
    thresholds: tuple[Threshold, ...] = ()
    weights: tuple[str | None, ...] = ()

    def member_thresholds(self) -> list[Threshold | None]:
        """The threshold of each member; None where there is none."""
        return list(self.thresholds) or [None] * len(self.rule.members)

    def to_json(self) -> dict[str, Any]:
        """Return plain data, without fields that have their default value."""
        rule = asdict(self.rule, filter=lambda field, value: value != field.default)
        return {
            "rule": rule,
            "threshold": self.threshold and self.threshold.to_json(),
            "thresholds": [threshold.to_json() for threshold in self.thresholds],
            "weights": list(self.weights),
        }

    def write(self, path: Path) -> None:
        """Write JSON; numbers are read back exactly.

        Raises:
            FasError: the file cannot be written.
        """
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(seal_record(self.to_json()), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Ensemble:
        """Read a file of `write`.

        Raises:
            FasError: the file cannot be read or is damaged, or does not hold an ensemble.
        """
        tree = read_json(path)
        if isinstance(tree, dict):
            tree = check_record(tree, path, "fit it again by `fas ensemble ... -o OUT.csv`")
        ensemble = structure_plain(tree, cls, str(path))
        rule, sizes = ensemble.rule, {len(ensemble.thresholds), len(ensemble.weights)}
        if not rule.is_complete() or not sizes <= {0, len(rule.members)}:
            raise FasError(f"{path}: a {rule.name!r} rule with missing or additional parameters")
        return ensemble


def _logistic(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)) without overflow, exact near 0; NaN stays NaN."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.exp(-np.logaddexp(0, -x)))
