"""Error rates as step functions of the threshold.

A sample is accepted as live when `score >= threshold`. The names are those of ISO/IEC 30107-3:
APCER is the fraction of attacks that are accepted (FAR, FPR), BPCER the fraction of bona fide
samples that are refused (FRR, 1 - TPR).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from attrs import frozen

from fas_core.scores.ranked import Counts, Floats, Positions, Ranked, Weights


@frozen(eq=False)
class ErrorRates:
    """Both error rates at every threshold. Build one with `ErrorRates.of`.

    A rate is NaN where its class is empty.

    Args:
        live: scores of bona fide samples.
        attack: scores of attacks of all species.
        species: `{name: scores of that species' attacks}`.
    """

    live: Ranked
    attack: Ranked
    species: Mapping[str, Ranked]
    _ties: tuple[Positions, Positions] | None = None

    @classmethod
    def of(cls, live: Floats, attack: Floats, species: Mapping[str, Floats] | None = None) -> ErrorRates:
        """From scores in any order, NaN left out. Without `species` all attacks are of one, `unknown`."""
        parts = {"unknown": attack} if species is None else species
        return cls(
            Ranked.of(live), Ranked.of(attack), {name: Ranked.of(part) for name, part in parts.items()}
        )

    def weighted(self, live: Weights, attack: Weights, species: Mapping[str, Weights]) -> ErrorRates:
        """The same scores, each counting so many times, in ascending order of the scores."""
        parts = {name: part.weighted(species[name]) for name, part in self.species.items()}
        return ErrorRates(self.live.weighted(live), self.attack.weighted(attack), parts, self.ties)

    @cached_property
    def ties(self) -> tuple[Positions, Positions]:
        """(L,) twice: how many entries of `attack.scores` are below, and not above, each live score."""
        if self._ties is not None:
            return self._ties
        found = [np.searchsorted(self.attack.scores, self.live.scores, side) for side in ("left", "right")]
        return found[0], found[1]

    @property
    def both(self) -> bool:
        """Whether there are live samples and attacks."""
        return self.live.total > 0 and self.attack.total > 0

    def apcer(self, threshold: float | Floats) -> Floats:
        """Fraction of attacks accepted, species pooled; of the threshold's shape."""
        return _over(self.attack.at_least(threshold), self.attack.total)

    def bpcer(self, threshold: float | Floats) -> Floats:
        """Fraction of live samples refused; of the threshold's shape."""
        return _over(self.live.below(threshold), self.live.total)

    def species_apcer(self, threshold: float | Floats) -> dict[str, Floats]:
        """Fraction of attacks accepted, for each species."""
        return {name: _over(part.at_least(threshold), part.total) for name, part in self.species.items()}

    def apcer_max(self, threshold: float | Floats) -> Floats:
        """The worst species' APCER, over species that have scores."""
        rates = [_over(part.at_least(threshold), part.total) for part in self._present()]
        return np.max(rates, axis=0) if rates else np.full(np.shape(threshold), np.nan)

    def accuracy(self, threshold: float) -> float:
        """Fraction of all samples that are judged as what they are."""
        total = self.live.total + self.attack.total
        wrong = int(self.attack.at_least(threshold)) + int(self.live.below(threshold))
        return (total - wrong) / total if total else np.nan

    def thresholds(self) -> Floats:
        """(T,) every threshold at which a rate differs, ascending.

        The lowest score (accepts all), midpoints of neighbouring distinct scores, and a number above
        all scores where there is one.
        """
        distinct = np.unique(np.concatenate([self.live.scores, self.attack.scores]))
        top = distinct[-1:][distinct[-1:] < np.inf]
        return np.concatenate(
            [distinct[:1], _between(distinct[:-1], distinct[1:]), np.nextafter(top, np.inf)]
        )

    def equal(self) -> tuple[float, float]:
        """(threshold, EER) where |APCER - BPCER| is least, EER being the mean of the two there.

        Of two thresholds that are equally good the higher one counts, as in bob.measure.
        """
        if not self.both:
            return np.nan, np.nan
        # The gap falls as the threshold rises, so it changes sign between two neighbouring scores.
        lower = max(_last_not_negative(part.scores, self._gap) for part in (self.live, self.attack))
        upper = self._next(lower)
        best = lower if abs(self._gap(lower)) < abs(self._gap(upper)) else upper
        return self.cut(best), float(self.apcer(best) + self.bpcer(best)) / 2

    def least_acer(self) -> tuple[float, float]:
        """(threshold, ACER) where APCER + BPCER, species pooled, is least; of equals the highest."""
        if not self.both:
            return np.nan, np.nan
        # Between two live scores nothing is lost by going up, so only live scores need a look.
        cuts = self.live.scores
        errors = self.attack.at_least(cuts) * self.live.total + self.live.below(cuts) * self.attack.total
        best = float(cuts[len(cuts) - 1 - np.argmin(errors[::-1])])
        return self.cut(best), float(self.apcer(best) + self.bpcer(best)) / 2

    def tpr_at_fpr(self, fpr: float) -> float:
        """The largest fraction of live samples accepted while at most `fpr` of the attacks are."""
        if not self.both:
            return np.nan
        return int(self.live.above(self.attack.lowest_with_above(fpr))) / self.live.total

    def bpcer_at_apcer(self, target: float) -> float:
        """The least BPCER while no species has an APCER above `target`: ISO/IEC 30107-3's BPCER_AP."""
        if not self.both:
            return np.nan
        return (self.live.total - int(self.live.above(self.worst_limit(target)))) / self.live.total

    def apcer_at_bpcer(self, target: float) -> tuple[float, float]:
        """(APCER pooled, APCER of the worst species) at the highest threshold with BPCER <= `target`."""
        if not self.both:
            return np.nan, np.nan
        cut = self.live.highest_with_below(target)
        return float(self.apcer(cut)), float(self.apcer_max(cut))

    def auc(self) -> float:
        """Chance that a live sample scores above an attack, ties counting half: the area under the ROC."""
        if not self.both:
            return np.nan
        weights = self.live.weights
        wins = sum(int(self.attack.first(positions) @ weights) for positions in self.ties)
        return wins / (2 * self.live.total * self.attack.total)

    def worst_limit(self, target: float) -> float:
        """The lowest score that has to be refused so that no species has an APCER above `target`."""
        return max(part.lowest_with_above(target) for part in self._present())

    def cut(self, score: float) -> float:
        """A threshold that accepts from `score` upwards: midway to the next lower score, if there is one."""
        return float(_between(np.array(self._previous(score)), np.array(score)))

    def cut_above(self, score: float) -> float:
        """A threshold that refuses `score` and accepts from the next higher one upwards; inf above inf."""
        return np.inf if score == np.inf else self.cut(self._next(score))

    def _present(self) -> list[Ranked]:
        return [part for part in self.species.values() if part.total]

    def _gap(self, threshold: float) -> int:
        """APCER - BPCER, times both counts: an exact integer."""
        accepted, refused = int(self.attack.at_least(threshold)), int(self.live.below(threshold))
        return accepted * self.live.total - refused * self.attack.total

    def _previous(self, score: float) -> float:
        """The largest score below `score`, or `score` itself when there is none."""
        parts = (self.live.scores, self.attack.scores)
        found = [part[index - 1] for part in parts if (index := np.searchsorted(part, score))]
        return float(max(found, default=score))

    def _next(self, score: float) -> float:
        """The smallest score above `score`, or the next number when there is none."""
        ends = [
            (part.scores, np.searchsorted(part.scores, score, "right")) for part in (self.live, self.attack)
        ]
        found = [scores[index] for scores, index in ends if index < len(scores)]
        return float(min(found, default=np.nextafter(score, np.inf)))


def _over(count: Counts, total: int) -> Floats:
    return np.asarray(count / total) if total else np.full(np.shape(count), np.nan)


def _between(lower: Floats, upper: Floats) -> Floats:
    """A number above `lower` and not above `upper`: the midpoint, finite where possible."""
    most = np.finfo(np.float64).max
    middle = np.clip(lower, -most, most) / 2 + np.clip(upper, -most, most) / 2
    # Neighbouring numbers have none between them; the upper one separates them as well.
    return np.where((middle > lower) & (middle <= upper), middle, upper)


def _last_not_negative(scores: Floats, falling: Callable[[float], int]) -> float:
    """The last of `scores` at which a falling function is not negative; at the first it never is."""
    return float(scores[bisect_right(scores, 0, key=lambda score: -falling(score)) - 1])
