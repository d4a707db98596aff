"""On whom figures stand: how many people (videos, samples) have live samples and each kind of attack."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from fas_core.evaluation.bootstrap import Resampler, choose_groups
from fas_core.evaluation.exact import GroupCounts
from fas_core.scores.table import ScoreTable

NOUNS = {"subject": ("person", "people"), "video": ("video", "videos"), "sample": ("sample", "samples")}
"""What samples are grouped by, in words, singular and plural."""

FEW = 10
"""Bootstrap intervals of fewer people, videos or samples tend to be too narrow: inference from few clusters
is too sure of itself (Cameron, Gelbach and Miller, Bootstrap-based improvements for inference with clustered
errors, Review of Economics and Statistics 90, 2008)."""


@frozen
class Population:
    """Whose samples a score table holds, of those with a label and a score.

    Args:
        by: `subject`, `video` or `sample`: what intervals and tests take as independent of each other.
        total: number of different ones.
        live: of these, how many have live samples.
        attack: how many have attacks.
        species: `{PAI species: how many have attacks of it}`.
    """

    by: str
    total: int
    live: int
    attack: int
    species: Mapping[str, int]

    @classmethod
    def of(cls, scores: ScoreTable) -> Population:
        """Count the people of a score table; videos where people are not known, else samples."""
        by, groups, total = choose_groups(scores)
        counts = Resampler.of(scores, groups).count_groups()
        return cls(by, total, counts.live, counts.attack, dict(counts.species))

    @property
    def is_small(self) -> bool:
        """Whether bootstrap intervals of so few tend to be too narrow."""
        return self.total < FEW

    def count(self, number: int) -> str:
        """Return e.g. `1 person` or `12 people`."""
        singular, plural = NOUNS[self.by]
        return f"{number} {singular if number == 1 else plural}"

    def behind(self, key: str, worst: str | None) -> int:
        """Return how many a rate is a share of; `worst` is the species of `apcer_max`."""
        return GroupCounts(self.live, self.attack, self.species).behind(key, worst)
