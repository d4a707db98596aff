"""Options that recipes can set: `train: {optimizer: {name: lion, beta: 0.95}}`."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v


@frozen
class HideAndSeekOptions:
    """Options of the augmentation.

    Args:
        grid: patches on each side of the face, >= 1.
        probability: with which each patch is hidden, in [0, 1).
    """

    grid: int = field(default=4, validator=v.ge(1))
    probability: float = field(default=0.25, validator=[v.ge(0), v.lt(1)])


@frozen
class LionOptions:
    """Options of the optimizer.

    Args:
        beta: share of the momentum in an update, in [0, 1); the gradient has the rest.
        decay: share of the momentum that is kept after an update, in [0, 1).
    """

    beta: float = field(default=0.9, validator=[v.ge(0), v.lt(1)])
    decay: float = field(default=0.99, validator=[v.ge(0), v.lt(1)])


@frozen
class PolynomialOptions:
    """Options of the schedule.

    Args:
        power: of the remaining share, > 0; 1 is a straight line.
    """

    power: float = field(default=0.9, validator=v.gt(0))
