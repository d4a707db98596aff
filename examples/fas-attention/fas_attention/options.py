"""Options that recipes can set: `model: {fusion: {name: attention, width: 64}}`."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v


@frozen
class AttentionOptions:
    """Options of the attention fusion.

    Args:
        width: numbers in the joint embedding, >= 1.
        hidden: numbers in the hidden layer that gives the modalities' weights, >= 1.
        dropout: before the classifier, in [0, 1).
    """

    width: int = field(default=128, validator=v.ge(1))
    hidden: int = field(default=64, validator=v.ge(1))
    dropout: float = field(default=0.2, validator=[v.ge(0), v.lt(1)])
