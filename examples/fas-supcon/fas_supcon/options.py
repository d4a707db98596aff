"""Options that recipes can set: `loss: {name: supcon, weight: 0.5}`."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v


@frozen
class SupConOptions:
    """Options of the supervised contrastive loss.

    Args:
        weight: factor of the contrastive term, > 0.
        temperature: divisor of the cosines between embeddings, > 0; the smaller, the more the nearest
            samples of the other class count.
    """

    weight: float = field(default=1.0, validator=v.gt(0))
    temperature: float = field(default=0.1, validator=v.gt(0))
