"""Where to draw the line: threshold policies, fitted on a dev set and applied elsewhere.

A sample is accepted as live when `score >= threshold`.

| policy | threshold |
|---|---|
| `eer` | where APCER and BPCER are equal |
| `min-acer` | where their mean is least, species pooled |
| `apcer<=X` | the lowest with at most that APCER, species pooled |
| `apcer_max<=X` | the lowest with at most that APCER for every species |
| `bpcer<=X` | the highest with at most that BPCER |
| `fixed:VALUE` | the value, fitted on nothing |
| `oracle:POLICY` | fitted on the judged scores themselves: what was possible, not what can be claimed |
"""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from attrs import asdict, frozen

from fas_core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from fas_core.scores.rates import ErrorRates
    from fas_core.scores.table import ScoreTable


@frozen
class Threshold:
    """A threshold and where it comes from.

    Args:
        value: accept when `score >= value`.
        policy: what `parse_policy` takes.
        source: what it was fitted on, e.g. `dev`; `given` when it was not fitted.
    """

    value: float
    policy: str
    source: str

    @property
    def oracle(self) -> bool:
        """Whether it was fitted on what it judges, which every output has to say."""
        return self.policy.startswith("oracle:")

    def text(self) -> str:
        """E.g. `accepted when score >= 0.512 (eer on dev)`."""
        origin = self.policy if self.source == "given" else f"{self.policy} on {self.source}"
        return f"accepted when score >= {self.value:.6g} ({origin})"

    def to_json(self) -> dict[str, float | str]:
        return asdict(self)


@frozen
class Policy:
    """A policy taken apart.

    Args:
        rule: `fixed`, `eer`, `min-acer`, `apcer`, `apcer_max` or `bpcer`.
        value: of `fixed` the threshold, of the last three the target; else 0.
        oracle: whether it is fitted on the judged scores.
    """

    rule: str
    value: float = 0.0
    oracle: bool = False

    @property
    def fitted(self) -> bool:
        """Whether it takes scores to find the threshold."""
        return self.rule != "fixed"


def parse_policy(text: str) -> Policy:
    """`eer`, `apcer<=0.05`, `fixed:0.5`, `oracle:min-acer`, ... taken apart.

    Raises:
        ConfigError: there is no such policy, or its number is out of range.
    """
    oracle, rest = text.startswith("oracle:"), text.removeprefix("oracle:")
    if rest in ("eer", "min-acer"):
        return Policy(rest, oracle=oracle)
    rule, number = _split(rest)
    if rule == "fixed" and isfinite(number) and not oracle:
        return Policy(rule, number)
    if rule in ("apcer", "apcer_max", "bpcer") and 0 <= number < 1:
        return Policy(rule, number, oracle)
    raise ConfigError(
        f"threshold {text!r}: must be eer, min-acer, apcer<=X, apcer_max<=X or bpcer<=X with X in [0, 1), "
        f"any of them after 'oracle:', or fixed:VALUE, e.g. fixed:0.5"
    )


def fit_threshold(
    policy: str, dev: ScoreTable | None, source: str = "dev", *, judged: ScoreTable | None = None
) -> Threshold:
    """The threshold that a policy gives; fitted policies need labelled scores of both classes.

    Args:
        policy: see `parse_policy`.
        dev: what it is fitted on.
        source: what that is called.
        judged: the scores that will be judged: what an `oracle:` policy is fitted on instead.

    Raises:
        ConfigError: no such policy.
        DataError: there are no scores of both classes to fit it on, or they cannot reach its target.
    """
    parsed = parse_policy(policy)
    if not parsed.fitted:
        return Threshold(parsed.value, policy, "given")
    scores, source = (judged, "judged") if parsed.oracle else (dev, source)
    if scores is None or not scores.rates.both:
        raise DataError(
            f"threshold {policy!r} is fitted on {source} scores, and {_lack(scores, source)}: "
            f"give one outright, e.g. --threshold fixed:0.5"
        )
    value = _fitted(parsed, scores.rates)
    if value == inf:
        raise DataError(f"threshold {policy!r}: no number refuses the infinite ones of the {source} scores")
    return Threshold(value, policy, source)


def _fitted(policy: Policy, rates: ErrorRates) -> float:
    match policy.rule:
        case "eer":
            return rates.equal()[0]
        case "min-acer":
            return rates.least_acer()[0]
        case "apcer":
            return rates.cut_above(rates.attack.lowest_with_above(policy.value))
        case "apcer_max":
            return rates.cut_above(rates.worst_limit(policy.value))
        case _:
            return rates.cut(rates.live.highest_with_below(policy.value))


def _split(text: str) -> tuple[str, float]:
    """`bpcer<=0.01` or `fixed:0.5` to its rule and number; NaN where there is none."""
    rule, _, number = text.partition(":" if text.startswith("fixed") else "<=")
    try:
        return rule, float(number)
    except ValueError:
        return rule, nan


def _lack(dev: ScoreTable | None, source: str) -> str:
    if dev is None:
        return f"there are no {source} scores"
    counts = dev.counts()
    return f"of its {len(dev)} samples {counts['live']} live and {counts['attack']} attacks have a score"
