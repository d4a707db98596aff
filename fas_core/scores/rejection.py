"""Reject policies: the scores to which a model gives no verdict, because it is uncertain.

A sample is live when `score >= high`, an attack when `score < low` and uncertain in between. The threshold
lies in this band. ISO/IEC 30107-3 counts the uncertain as non-responses, by APNRR and BPNRR, and not by APCER
and BPCER.

| policy | band |
|---|---|
| `LOW:HIGH` | the two scores |
| `error:X` | the narrowest around the threshold outside of which APCER and BPCER on dev are at most X |
| `none` | no band: every score has a verdict |

`error:X` bounds the selective risk (Geifman and El-Yaniv, arXiv 1705.08500) of each class: the rates count
the samples that get a verdict, PAI species pooled. Starting from low = high = threshold, the band is widened
until

    #(attacks >= high) <= X (#(attacks >= high) + #(attacks < low)),
    #(live < low)      <= X (#(live < low)      + #(live >= high)),

each end by the fewest samples. A wider band on one side leaves fewer verdicts, and so fewer errors, on the
other, which is why the widening repeats. It ends at the one band that every band within the target contains.
"""

from __future__ import annotations

import re
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING

from attrs import frozen

from fas_core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from fas_core.scores.rates import ErrorRates
    from fas_core.scores.table import ScoreTable

NONE = "none"
POLICIES = "LOW:HIGH with LOW < HIGH, error:X with X in [0, 1), or none"
"""The grammar, for messages."""


@frozen
class RejectBand:
    """The scores that are uncertain, `low <= score < high`, the policy, and what it was fitted on."""

    low: float
    high: float
    policy: str
    source: str

    def contains(self, score: float) -> bool:
        """Return whether a score is uncertain."""
        return self.low <= score < self.high

    def text(self) -> str:
        """E.g. `uncertain from 0.4 up to 0.6 (error:0.01 on dev)`; a score of 0.6 is live."""
        origin = self.policy if self.source == "given" else f"{self.policy} on {self.source}"
        return f"uncertain from {self.low:.6g} up to {self.high:.6g} ({origin})"


def is_fitted(band: RejectBand | None) -> bool:
    """Return whether a band was fitted on scores."""
    return band is not None and isinstance(parse_reject(band.policy), float)


def parse_reject(text: str) -> tuple[float, float] | float | None:
    """Parse `0.4:0.6` as (0.4, 0.6), `error:0.01` as 0.01 and `none` as None; else raise ConfigError."""
    if text == NONE:
        return None
    if match := re.fullmatch(r"([^:]*):([^:]*)", text):
        with suppress(ValueError):
            if match[1] == "error":
                target = float(match[2])
                if 0 <= target < 1:
                    return target
            else:
                low, high = float(match[1]), float(match[2])
                if isfinite(low) and isfinite(high) and low < high:
                    return low, high
    raise ConfigError(f"reject {text!r}: must be {POLICIES}, e.g. 0.4:0.6")


def fit_reject(policy: str, threshold: float, dev: ScoreTable | None, source: str) -> RejectBand | None:
    """Return the band of a policy around a threshold; None for `none`.

    Args:
        policy: see above.
        threshold: a score in the band.
        dev: what `error:X` is fitted on.
        source: the name of these scores.

    Raises:
        ConfigError: there is no such policy, or its band does not contain the threshold.
        DataError: there are no scores of both classes to fit on, or infinite ones cannot be separated.
    """
    parsed = parse_reject(policy)
    if parsed is None:
        return None
    if isinstance(parsed, tuple):
        return check_band(RejectBand(*parsed, policy, "given"), threshold)
    if dev is None or not dev.rates.has_both_classes:
        raise DataError(
            f"reject {policy!r} is fitted on {source} scores, of which there are none of both classes: set a "
            "band, e.g. --reject 0.4:0.6, or fit it where they are: fas export RUN --reject error:0.01"
        )
    low, high = widen_band(dev.rates, threshold, parsed)
    if not (isfinite(low) and isfinite(high)):
        raise DataError(f"reject {policy!r}: no numbers separate the infinite ones of the {source} scores")
    return RejectBand(low, high, policy, source) if low < high else None


def check_band(band: RejectBand | None, threshold: float) -> RejectBand | None:
    """Return the band; raise ConfigError where it does not contain the threshold."""
    if band is not None and not band.low <= threshold <= band.high:
        raise ConfigError(
            f"{band.text()} does not contain the threshold {threshold:.6g}: "
            "give --reject LOW:HIGH around it, or --reject none"
        )
    return band


def widen_band(rates: ErrorRates, threshold: float, target: float) -> tuple[float, float]:
    """Return (low, high) of `error:X` for the target X; low = high where the threshold alone keeps it."""
    live, attack = rates.live, rates.attack
    low = high = threshold
    while True:
        accepted = _allowed_errors(int(attack.count_below(low)), target)
        refused = _allowed_errors(int(live.count_at_least(high)), target)
        before = low, high
        if int(attack.count_at_least(high)) > accepted:
            high = rates.threshold_at_apcer(accepted / attack.total)
        if int(live.count_below(low)) > refused:
            low = rates.threshold_at_bpcer(refused / live.total)
        if (low, high) == before:
            return low, high


def _allowed_errors(correct: int, target: float) -> int:
    """Return the most errors beside so many correct verdicts: `errors / (errors + correct) <= target`."""
    errors = int(target * correct / (1 - target)) + 1
    while errors > 0 and errors / (errors + correct) > target:
        errors -= 1
    return errors
