"""Options that recipes can set: `loss: {name: poly1, epsilon: 2}`."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v


@frozen
class Poly1Options:
    """Options of the poly-1 loss.

    Args:
        epsilon: weight of the added term, >= -1; 0 is cross entropy.
    """

    epsilon: float = field(default=1.0, validator=v.ge(-1))
