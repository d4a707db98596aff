"""Options of the losses."""

from __future__ import annotations

import math
from typing import Any, Literal

from attrs import Attribute, field, frozen, validators


def _check_finite(_: object, attribute: Attribute[Any], value: float) -> None:
    """Check that it is finite."""
    if not math.isfinite(value):
        raise ValueError(f"'{attribute.name}' must be finite: {value}")


def _check_weights(_: object, attribute: Attribute[Any], value: tuple[float, float] | None) -> None:
    """Check that both are >= 0, and one is above 0."""
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
        gamma: how strongly easy samples are weighted down, >= 0; 0 is cross entropy. The published commands
            use 2 and 3.
        alpha: weights of (attack, live); by default (1, 1).
    """

    gamma: float = field(default=3.0, validator=[validators.ge(0), _check_finite])
    alpha: tuple[float, float] | None = field(default=None, validator=_check_weights)


@frozen
class CrossEntropyOptions:
    """Cross entropy.

    Args:
        weight: weights of (attack, live); by default (1, 1).
        smoothing: probability that is taken from the true class and shared by both classes, in [0, 1).
    """

    weight: tuple[float, float] | None = field(default=None, validator=_check_weights)
    smoothing: float = field(default=0.0, validator=[validators.ge(0), validators.lt(1)])


@frozen
class MapOptions:
    """Losses over a predicted map.

    Args:
        target: target map of a live face: `mask`, 1 where its image is not black, else 0 (so all 1 for a crop
            whose background is not blackened); or `depth`, the depth image scaled to [0, 1]. The target of
            an attack is all 0.
        modality: modality whose image the target is made from; by default `depth` for depth, and the first
            for mask. The model need not take it: CDCN takes RGB, and only its loss reads depth.
    """

    target: Literal["mask", "depth"] = field(default="mask", validator=validators.in_(("mask", "depth")))
    modality: str | None = None


@frozen
class ContrastDepthOptions(MapOptions):
    """The contrastive depth loss.

    Args:
        mse: weight of the added `map_mse`, >= 0; 1 as published, 0 for the contrasts alone.
    """

    mse: float = field(default=1.0, validator=[validators.ge(0.0), _check_finite])


@frozen
class AMSoftmaxOptions:
    """Additive margin softmax. The scale s is the model's: `model.fusion.scale`.

    Args:
        margin: m, subtracted from the true class's cosine, in [0, 1].
    """

    margin: float = field(default=0.35, validator=[validators.ge(0.0), validators.le(1.0)])
