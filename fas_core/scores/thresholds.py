"""Threshold policies: how a threshold is fitted on dev scores, to be applied elsewhere.

A sample is accepted as live when `score >= threshold`.

| policy | threshold |
|---|---|
| `eer` | where APCER and BPCER are equal |
| `min-acer` | where their mean is least, PAI species pooled |
| `apcer:X` | the lowest with at most that APCER, species pooled |
| `apcer_max:X` | the lowest with at most that APCER for every species |
| `bpcer:X` | the highest with at most that BPCER |
| `fixed:VALUE` | the value, fitted on nothing |
| `oracle:POLICY` | fitted on the evaluated scores themselves: the best possible result, not one to claim |

`calibrated:X` is the policy of a threshold that `fas calibrate` has set; it cannot be fitted on dev.

`apcer<=X` means the same as `apcer:X`, which a shell does not take for a redirection; likewise the next two.
"""

from __future__ import annotations

import re
from contextlib import suppress
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, field, frozen

from fas_core.errors import ConfigError, DataError
from fas_core.scores.rejection import RejectBand, check_band, fit_reject

if TYPE_CHECKING:
    from fas_core.scores.rates import ErrorRates
    from fas_core.scores.table import ScoreTable

POLICIES = "eer, min-acer, apcer:X, apcer_max:X or bpcer:X (or <=X) with X in [0, 1), or fixed:VALUE"
"""The grammar, for messages; `oracle:` may precede all but `fixed`."""

CALIBRATED = "calibrated:"
"""Start of the policy of a threshold that was set on live photos of a site; the target BPCER follows."""


def _check_reject(threshold: Threshold, _: object, band: RejectBand | None) -> None:
    if band is not None and not -inf < band.low <= threshold.value <= band.high < inf:
        raise ValueError(
            f"must be two numbers around the threshold {threshold.value}: {band.low}, {band.high}"
        )


@frozen
class Threshold:
    """A threshold, the policy as the user wrote it, and what it was fitted on, e.g. `dev`, else `given`.

    `reject` is the band of scores around it that are uncertain; None where every score has a verdict.
    """

    value: float
    policy: str
    source: str
    reject: RejectBand | None = field(default=None, validator=_check_reject)

    @property
    def oracle(self) -> bool:
        """Whether it was fitted on the very scores that it is applied to, which every output has to say."""
        return self.policy.startswith("oracle:")

    @property
    def calibrated(self) -> bool:
        """Whether it was set on photos of a site, so that no scores of training can fit it again."""
        return self.policy.startswith(CALIBRATED)

    def text(self) -> str:
        """E.g. `accepted when score >= 0.512 (eer on dev)`."""
        origin = self.policy if self.source == "given" else f"{self.policy} on {self.source}"
        if self.reject is None:
            return f"accepted when score >= {self.value:.6g} ({origin})"
        return f"{self.reject.text()}, accepted from there on; threshold {self.value:.6g} ({origin})"

    def to_json(self) -> dict[str, Any]:
        """Plain data; without a band there is no key `reject`, which older readers do not know."""
        return asdict(self, filter=lambda attribute, value: attribute.name != "reject" or value is not None)

    def with_reject(self, band: RejectBand | None) -> Threshold:
        """Return the threshold with this band; raise ConfigError where the band does not contain it."""
        return evolve(self, reject=check_band(band, self.value))


@frozen
class Policy:
    """A parsed policy; `value` is the threshold of `fixed`, or the target of an error rate."""

    rule: str
    value: float = 0.0
    oracle: bool = False

    @property
    def fitted(self) -> bool:
        """Whether it needs scores."""
        return self.rule != "fixed"


def parse_policy(text: str) -> Policy:
    """Parse `eer`, `apcer:0.05`, `fixed:0.5`, `oracle:min-acer`, ...; raise ConfigError for other text."""
    oracle, policy = text.startswith("oracle:"), text.removeprefix("oracle:")
    if policy in ("eer", "min-acer"):
        return Policy(policy, oracle=oracle)
    if match := re.fullmatch(r"(?:(fixed):|(apcer|apcer_max|bpcer)(?::|<=))(.*)", policy):
        fixed, rate, number = match.groups()
        with suppress(ValueError):
            value = float(number)
            if (isfinite(value) and not oracle) if fixed else 0 <= value < 1:
                return Policy(fixed or rate, value, oracle)
    raise ConfigError(
        f"threshold {text!r}: must be {POLICIES}, e.g. fixed:0.5; 'oracle:' may precede all but fixed"
    )


def fit_threshold(
    policy: str,
    dev: ScoreTable | None,
    source: str = "dev",
    *,
    evaluated: ScoreTable | None = None,
    reject: str | None = None,
) -> Threshold:
    """Return the threshold of a policy, fitted on `dev`, whose name is `source`.

    An `oracle:` policy is fitted on `evaluated`, the scores it will be applied to. `reject` is the policy of
    the band of uncertain scores around it, see `fas_core.scores.rejection`. Raises ConfigError where there is
    no such policy, DataError without scores of both classes to fit on, or when no number separates.
    """
    parsed = parse_policy(policy)
    if reject is not None:
        threshold = fit_threshold(policy, dev, source, evaluated=evaluated)
        scores, source = (evaluated, "judged") if parsed.oracle else (dev, source)
        return evolve(threshold, reject=fit_reject(reject, threshold.value, scores, source))
    if not parsed.fitted:
        return Threshold(parsed.value, policy, "given")
    scores, source = (evaluated, "judged") if parsed.oracle else (dev, source)
    if scores is None or not scores.rates.has_both_classes:
        raise DataError(
            f"threshold {policy!r} is fitted on {source} scores, and {_describe_missing(scores, source)}: "
            f"set a value, e.g. --threshold fixed:0.5"
        )
    value = _fit(parsed, scores.rates)
    if value == inf:
        raise DataError(f"threshold {policy!r}: no number rejects the infinite ones of the {source} scores")
    return Threshold(value, policy, source)


def choose_threshold(
    own: Threshold | None,
    policy: str | None,
    dev: ScoreTable | None,
    source: str = "dev",
    *,
    evaluated: ScoreTable | None = None,
    reject: str | None = None,
) -> Threshold | None:
    """Return a model's own threshold, or the one that `policy` fits as `fit_threshold` does; None if neither.

    Its band of uncertain scores is the model's own, or that of the policy `reject`.

    Raises:
        DataError: a policy is fitted on scores, and there are none.
        ConfigError: the band does not contain the threshold.
    """
    threshold = own
    if policy is not None and (own is None or policy != own.policy):
        threshold = fit_threshold(policy, dev, source, evaluated=evaluated)
    if threshold is None:
        return None
    if reject is not None:
        return threshold.with_reject(fit_reject(reject, threshold.value, dev, source))
    return threshold.with_reject(None if own is None else own.reject)


def _fit(policy: Policy, rates: ErrorRates) -> float:
    match policy.rule:
        case "eer":
            return rates.equal_error_threshold()[0]
        case "min-acer":
            return rates.minimum_acer_threshold()[0]
        case "apcer":
            return rates.threshold_at_apcer(policy.value)
        case "apcer_max":
            return rates.threshold_at_apcer_max(policy.value)
        case _:
            return rates.threshold_at_bpcer(policy.value)


def _describe_missing(scores: ScoreTable | None, source: str) -> str:
    if scores is None:
        return f"there are no {source} scores"
    counts = scores.counts()
    return f"of its {len(scores)} samples {counts['live']} live and {counts['attack']} attacks have a score"
