"""When a face is unlike what a model was trained on: the limit of its distance to the training data."""

from __future__ import annotations

from math import inf

from attrs import asdict, field, frozen
from attrs import validators as v

NOVELTY = "novelty"
"""Name of the graph's output: (B,), see `fas_core.models.novelty`."""


@frozen
class NoveltyLimit:
    """The distance above which a face is novel, and what it was fitted on.

    Args:
        limit: a quantile of the distances of `source`.
        quantile: e.g. 0.99, so that one in a hundred such faces is novel.
        source: name of the split, e.g. `dev`.
        samples: number of its samples.
    """

    limit: float = field(validator=v.and_(v.gt(0.0), v.lt(inf)))
    quantile: float = field(validator=v.and_(v.ge(0.0), v.le(1.0)))
    source: str
    samples: int

    def text(self) -> str:
        """E.g. `novel when the distance to the training data is above 1.83 (99 % quantile of 648 of dev)`."""
        origin = f"{100 * self.quantile:g} % quantile of {self.samples} samples of {self.source}"
        return f"novel when the distance to the training data is above {self.limit:.4g} ({origin})"

    def to_json(self) -> dict[str, float | int | str]:
        """Plain data."""
        return asdict(self)
