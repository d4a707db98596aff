"""Error rates as step functions of the threshold.

A sample is accepted as live when `score >= threshold`. The names are those of ISO/IEC 30107-3: APCER is the
fraction of attacks that are accepted (FAR, FPR), BPCER that of bona fide samples rejected (FRR, 1 - TPR).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from attrs import frozen

from fas_core.scores.ranked import Counts, Floats, Positions, Ranked, Weights

LARGEST = np.finfo(np.float64).max


@frozen(eq=False)
class ErrorRates:
    """Both error rates at every threshold. Build one with `ErrorRates.of`.

    `attack` pools the attacks of all PAI species. A rate is NaN where its class is empty.
    """

    live: Ranked
    attack: Ranked
    species: Mapping[str, Ranked]
    _attack_positions: tuple[Positions, Positions] | None = None

    @classmethod
    def of(cls, live: Floats, attack: Floats, species: Mapping[str, Floats] | None = None) -> ErrorRates:
        """Build from scores in any order, without NaN; by default all attacks are of species `unknown`."""
        by_species = {"unknown": attack} if species is None else species
        ranked = {name: Ranked.of(scores) for name, scores in by_species.items()}
        return cls(Ranked.of(live), Ranked.of(attack), ranked)

    def reweight(self, live: Weights, attack: Weights, species: Mapping[str, Weights]) -> ErrorRates:
        """Return the same scores, each counting as often as its weight says, in ascending order of scores."""
        reweighted = {name: scores.reweight(species[name]) for name, scores in self.species.items()}
        return ErrorRates(
            self.live.reweight(live), self.attack.reweight(attack), reweighted, self.attack_positions
        )

    @cached_property
    def attack_positions(self) -> tuple[Positions, Positions]:
        """(L,) twice: how many entries of `attack.scores` are below, and not above, each live score."""
        if self._attack_positions is not None:
            return self._attack_positions
        attack, live = self.attack.scores, self.live.scores
        return np.searchsorted(attack, live, "left"), np.searchsorted(attack, live, "right")

    @property
    def has_both_classes(self) -> bool:
        """Whether there are live samples and attacks."""
        return self.live.total > 0 and self.attack.total > 0

    def apcer(self, threshold: float | Floats) -> Floats:
        """Fraction of attacks accepted, species pooled; of the threshold's shape."""
        return _accepted_rate(self.attack, threshold)

    def bpcer(self, threshold: float | Floats) -> Floats:
        """Fraction of live samples rejected; of the threshold's shape."""
        return _divide(self.live.count_below(threshold), self.live.total)

    def species_apcer(self, threshold: float | Floats) -> dict[str, Floats]:
        """Fraction of attacks accepted, for each species."""
        return {name: _accepted_rate(scores, threshold) for name, scores in self.species.items()}

    def apcer_max(self, threshold: float | Floats) -> Floats:
        """The worst species' APCER, over species that have scores."""
        rates = [_accepted_rate(scores, threshold) for scores in self._species_with_scores()]
        return np.max(rates, axis=0) if rates else np.full(np.shape(threshold), np.nan)

    def accuracy(self, threshold: float) -> float:
        """Fraction of all samples that are classified correctly."""
        total = self.live.total + self.attack.total
        wrong = int(self.attack.count_at_least(threshold)) + int(self.live.count_below(threshold))
        return (total - wrong) / total if total else np.nan

    def equal_error_threshold(self) -> tuple[float, float]:
        """(threshold, EER) where |APCER - BPCER| is least; the EER is the mean of both rates there.

        Of two thresholds that are equally good the higher one counts, as in bob.measure.
        """
        if not self.has_both_classes:
            return np.nan, np.nan
        # The gap grows with the threshold, so it changes sign between two neighbouring scores. It is never
        # above 0 at the first score of a class.
        arrays = (self.live.scores, self.attack.scores)
        lower = max(float(scores[bisect_right(scores, 0, key=self._gap) - 1]) for scores in arrays)
        upper = self._next_score(lower)
        best = lower if abs(self._gap(lower)) < abs(self._gap(upper)) else upper
        return self._threshold_at(best), float(self.apcer(best) + self.bpcer(best)) / 2

    def minimum_acer_threshold(self) -> tuple[float, float]:
        """(threshold, ACER) where APCER + BPCER, species pooled, is least; of equals the highest."""
        if not self.has_both_classes:
            return np.nan, np.nan
        # Raising the threshold to the next live score costs nothing, so only live scores are candidates.
        candidates = self.live.scores
        accepted, rejected = self.attack.count_at_least(candidates), self.live.count_below(candidates)
        errors = accepted * self.live.total + rejected * self.attack.total
        best = float(candidates[::-1][np.argmin(errors[::-1])])
        return self._threshold_at(best), float(self.apcer(best) + self.bpcer(best)) / 2

    def threshold_at_apcer(self, target: float) -> float:
        """The lowest threshold with APCER, species pooled, <= `target`; inf where none is high enough."""
        return self._threshold_above(self.attack.upper_quantile(target))

    def threshold_at_apcer_max(self, target: float) -> float:
        """The lowest threshold with APCER <= `target` for every species; inf where none is high enough."""
        return self._threshold_above(self._species_quantile(target))

    def threshold_at_bpcer(self, target: float) -> float:
        """The highest threshold with BPCER <= `target`."""
        return self._threshold_at(self.live.lower_quantile(target))

    def tpr_at_fpr(self, fpr: float) -> float:
        """The largest fraction of live samples accepted while at most `fpr` of the attacks are."""
        if not self.has_both_classes:
            return np.nan
        return int(self.live.count_above(self.attack.upper_quantile(fpr))) / self.live.total

    def bpcer_at_apcer(self, target: float) -> float:
        """The least BPCER while no species has an APCER above `target`: ISO/IEC 30107-3's BPCER_AP."""
        if not self.has_both_classes:
            return np.nan
        accepted = int(self.live.count_above(self._species_quantile(target)))
        return (self.live.total - accepted) / self.live.total

    def apcer_at_bpcer(self, target: float) -> tuple[float, float]:
        """(APCER pooled, APCER of the worst species) at the highest threshold with BPCER <= `target`."""
        if not self.has_both_classes:
            return np.nan, np.nan
        score = self.live.lower_quantile(target)
        return float(self.apcer(score)), float(self.apcer_max(score))

    def auc(self) -> float:
        """Probability that a live sample scores above an attack, ties counting half: area under the ROC."""
        if not self.has_both_classes:
            return np.nan
        weights = self.live.weights
        wins = sum(int(self.attack.count_first(positions) @ weights) for positions in self.attack_positions)
        return wins / (2 * self.live.total * self.attack.total)

    def _species_with_scores(self) -> list[Ranked]:
        return [scores for scores in self.species.values() if scores.total]

    def _species_quantile(self, rate: float) -> float:
        """The lowest score with at most `rate` of every species above it."""
        return max(scores.upper_quantile(rate) for scores in self._species_with_scores())

    def _gap(self, threshold: float) -> int:
        """BPCER - APCER, times both totals: an exact integer."""
        accepted, rejected = int(self.attack.count_at_least(threshold)), int(self.live.count_below(threshold))
        return rejected * self.attack.total - accepted * self.live.total

    def _threshold_at(self, score: float) -> float:
        """A threshold that accepts from `score` upwards: midway to the next lower score, if there is one."""
        arrays = (self.live.scores, self.attack.scores)
        lower_scores = [scores[index - 1] for scores in arrays if (index := np.searchsorted(scores, score))]
        lower = max(lower_scores, default=score)
        middle = float(np.clip(lower, -LARGEST, LARGEST) / 2 + np.clip(score, -LARGEST, LARGEST) / 2)
        # Neighbouring numbers have none between them; the upper one separates them as well.
        return middle if lower < middle <= score else score

    def _threshold_above(self, score: float) -> float:
        """A threshold that rejects `score` and accepts from the next higher one upwards; inf above inf."""
        return np.inf if score == np.inf else self._threshold_at(self._next_score(score))

    def _next_score(self, score: float) -> float:
        """The smallest score above `score`, or the next number when there is none."""
        arrays = (self.live.scores, self.attack.scores)
        indices = [np.searchsorted(scores, score, "right") for scores in arrays]
        higher = [s[index] for s, index in zip(arrays, indices, strict=True) if index < len(s)]
        return float(min(higher, default=np.nextafter(score, np.inf)))


def _accepted_rate(ranked: Ranked, threshold: float | Floats) -> Floats:
    return _divide(ranked.count_at_least(threshold), ranked.total)


def _divide(count: Counts, total: int) -> Floats:
    return np.asarray(count / total) if total else np.full(np.shape(count), np.nan)
