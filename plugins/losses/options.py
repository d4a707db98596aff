"""What recipes can set of each loss."""

from __future__ import annotations

import math
from typing import Any

from attrs import Attribute, field, frozen, validators


def _finite(_: object, attribute: Attribute[Any], value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"'{attribute.name}' must be finite: {value}")


def _weights(_: object, attribute: Attribute[Any], value: tuple[float, float] | None) -> None:
    if value is None:
        return
    if (
        len(value) != 2
        or not all(math.isfinite(weight) and weight >= 0 for weight in value)
        or not any(value)
    ):
        raise ValueError(
            f"'{attribute.name}' must be two weights >= 0, (attack, live), not both 0: {list(value)}"
        )


@frozen
class FocalOptions:
    """The focal loss.

    Args:
        gamma: how much easy samples count less, >= 0; 0 is cross entropy. The published commands use 2 and 3.
        alpha: weights of (attack, live); none is (1, 1).
    """

    gamma: float = field(default=3.0, validator=[validators.ge(0), _finite])
    alpha: tuple[float, float] | None = field(default=None, validator=_weights)


@frozen
class CrossEntropyOptions:
    """Cross entropy.

    Args:
        weight: weights of (attack, live); none is (1, 1).
        smoothing: the probability that targets give away, half of it to each of the two classes, in [0, 1).
    """

    weight: tuple[float, float] | None = field(default=None, validator=_weights)
    smoothing: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])
