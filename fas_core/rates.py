"""Error rates as step functions of the threshold, from one ascending array a class.

A sample is accepted as live when `score >= threshold`. The names are those of ISO/IEC 30107-3:
APCER is the fraction of attacks that are accepted (FAR, FPR), BPCER the fraction of bona fide
samples that are refused (FRR, 1 - TPR). Counts stay integers until the last division, so ties are
exact and no rate depends on the order of the samples.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@frozen(eq=False)
class ErrorRates:
    """Both error rates at every threshold. Build one with `ErrorRates.of`.

    A rate is NaN where its class is empty.

    Args:
        live: (L,) scores of bona fide samples, ascending.
        attack: (A,) scores of attacks of all species, ascending.
        species: `{name: (A_s,) scores of that species, ascending}`.
    """

    live: Floats
    attack: Floats
    species: Mapping[str, Floats]

    @classmethod
    def of(cls, live: Floats, attack: Floats, species: Mapping[str, Floats] | None = None) -> ErrorRates:
        """From scores in any order; NaN, a failure to respond, is left out and so never compared.

        Without `species` all attacks are of one, `unknown`.
        """
        parts = {"unknown": attack} if species is None else species
        return cls(_ranked(live), _ranked(attack), {name: _ranked(part) for name, part in parts.items()})

    @property
    def both(self) -> bool:
        """Whether there are live samples and attacks."""
        return len(self.live) > 0 and len(self.attack) > 0

    def apcer(self, threshold: float | Floats) -> Floats:
        """Fraction of attacks accepted, species pooled; of the threshold's shape."""
        return _over(_accepted(self.attack, threshold), self.attack)

    def bpcer(self, threshold: float | Floats) -> Floats:
        """Fraction of live samples refused; of the threshold's shape."""
        return _over(_refused(self.live, threshold), self.live)

    def species_apcer(self, threshold: float | Floats) -> dict[str, Floats]:
        """Fraction of attacks accepted, for each species."""
        return {name: _over(_accepted(part, threshold), part) for name, part in self.species.items()}

    def apcer_max(self, threshold: float | Floats) -> Floats:
        """The worst species' APCER, over species that have scores."""
        rates = [_over(_accepted(part, threshold), part) for part in self.species.values() if len(part)]
        return np.max(rates, axis=0) if rates else np.full(np.shape(threshold), np.nan)

    def accuracy(self, threshold: float) -> float:
        """Fraction of all samples that are judged as what they are."""
        total = len(self.live) + len(self.attack)
        wrong = int(_accepted(self.attack, threshold)) + int(_refused(self.live, threshold))
        return (total - wrong) / total if total else np.nan

    def thresholds(self) -> Floats:
        """(T,) every threshold at which a rate differs, ascending.

        The lowest score (accepts all), midpoints of neighbouring distinct scores, and a number above
        all scores where there is one.
        """
        distinct = np.unique(np.concatenate([self.live, self.attack]))
        top = distinct[-1:][distinct[-1:] < np.inf]
        return np.concatenate(
            [distinct[:1], _between(distinct[:-1], distinct[1:]), np.nextafter(top, np.inf)]
        )

    def equal(self) -> tuple[float, float]:
        """(threshold, EER) where |APCER - BPCER| is least, EER being the mean of the two there.

        Of two thresholds that are equally good, the higher one counts, as in bob.measure.
        """
        if not self.both:
            return np.nan, np.nan
        # The gap falls as the threshold rises, so it changes sign between two neighbouring scores.
        lower = max(_last_not_negative(scores, self._gap) for scores in (self.live, self.attack))
        upper = self._next(lower)
        best = lower if abs(self._gap(lower)) < abs(self._gap(upper)) else upper
        threshold = float(_between(np.array(self._previous(best)), np.array(best)))
        return threshold, float(self.apcer(best) + self.bpcer(best)) / 2

    def tpr_at_fpr(self, fpr: float) -> float:
        """The largest fraction of live samples accepted while at most `fpr` of the attacks are."""
        if not self.both:
            return np.nan
        allowed = int(fpr * len(self.attack)) + 1
        while allowed / len(self.attack) > fpr:  # as the rates divide, so that 3 of 300 is 1e-2
            allowed -= 1
        if allowed == len(self.attack):
            return 1.0
        # This attack has to be refused, and with it all that score the same or less.
        limit = self.attack[len(self.attack) - 1 - allowed]
        return float(len(self.live) - np.searchsorted(self.live, limit, "right")) / len(self.live)

    def auc(self) -> float:
        """Chance that a live sample scores above an attack, ties counting half: the area under the ROC."""
        if not self.both:
            return np.nan
        below, not_above = (np.searchsorted(self.attack, self.live, side) for side in ("left", "right"))
        return (int(below.sum()) + int(not_above.sum())) / (2 * len(self.live) * len(self.attack))

    def _gap(self, threshold: float) -> int:
        """APCER - BPCER, times both counts: an exact integer."""
        accepted, refused = _accepted(self.attack, threshold), _refused(self.live, threshold)
        return int(accepted) * len(self.live) - int(refused) * len(self.attack)

    def _previous(self, score: float) -> float:
        """The largest score below `score`, or `score` itself when it is the lowest."""
        found = [
            part[index - 1] for part in (self.live, self.attack) if (index := np.searchsorted(part, score))
        ]
        return float(max(found, default=score))

    def _next(self, score: float) -> float:
        """The smallest score above `score`, or the next number when it is the highest."""
        ends = [(part, np.searchsorted(part, score, "right")) for part in (self.live, self.attack)]
        found = [part[index] for part, index in ends if index < len(part)]
        return float(min(found, default=np.nextafter(score, np.inf)))


def _ranked(scores: Floats) -> Floats:
    ranked = scores[~np.isnan(scores)]
    ranked.sort()
    return ranked


def _refused(scores: Floats, threshold: float | Floats) -> NDArray[np.int64]:
    return np.asarray(np.searchsorted(scores, threshold, "left"), np.int64)


def _accepted(scores: Floats, threshold: float | Floats) -> NDArray[np.int64]:
    return len(scores) - _refused(scores, threshold)


def _over(count: NDArray[np.int64], scores: Floats) -> Floats:
    return np.asarray(count / len(scores)) if len(scores) else np.full(np.shape(count), np.nan)


def _between(lower: Floats, upper: Floats) -> Floats:
    """A number above `lower` and not above `upper`: the midpoint, finite where possible."""
    most = np.finfo(np.float64).max
    middle = np.clip(lower, -most, most) / 2 + np.clip(upper, -most, most) / 2
    # Neighbouring numbers have none between them; the upper one separates them as well.
    return np.where((middle > lower) & (middle <= upper), middle, upper)


def _last_not_negative(scores: Floats, falling: Callable[[float], int]) -> float:
    """The last of `scores` at which a falling function is not negative; at the first it never is."""
    return float(scores[bisect_right(scores, 0, key=lambda score: -falling(score)) - 1])
