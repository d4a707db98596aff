"""Options of the optimizers."""

from __future__ import annotations

from typing import Any

from attrs import Attribute, field, frozen
from attrs import validators as v

GIVEN_BY_RECIPE = ("params", "lr")
"""Arguments that no recipe sets: the weights that are trained, and `train.lr`."""


def _check_betas(_: object, attribute: Attribute[Any], value: tuple[float, float]) -> None:
    """Check that both are in [0, 1)."""
    if not all(0 <= beta < 1 for beta in value):
        raise ValueError(f"'{attribute.name}' must be in [0, 1): {list(value)}")


def _check_arguments(_: object, attribute: Attribute[Any], value: dict[str, Any]) -> None:
    """Check that it leaves out what the recipe gives, such as the learning rate."""
    if taken := [name for name in GIVEN_BY_RECIPE if name in value]:
        raise ValueError(f"'{attribute.name}' must not have {taken[0]!r}: the learning rate is train.lr")


@frozen
class SGDOptions:
    """Stochastic gradient descent; momentum and weight decay are `train.momentum` and `train.weight_decay`.

    Args:
        nesterov: take the gradient where the momentum leads, as Nesterov; needs a momentum above 0.
    """

    nesterov: bool = False


@frozen
class AdamWOptions:
    """Adam with decoupled weight decay, `train.weight_decay`.

    Args:
        betas: decays of the running means of the gradient and of its square, in [0, 1).
        eps: what is added to the root of the mean square, > 0.
    """

    betas: tuple[float, float] = field(default=(0.9, 0.999), validator=_check_betas)
    eps: float = field(default=1e-8, validator=v.gt(0))


@frozen
class ByNameOptions:
    """A class of `torch.optim`.

    Args:
        type: its name, e.g. `RMSprop`.
        arguments: its further arguments, e.g. `{alpha: 0.9}`; `train.momentum` and `train.weight_decay` are
            given to a class that has arguments of these names, unless they are here.
    """

    type: str = "Adam"
    arguments: dict[str, Any] = field(factory=dict, validator=_check_arguments)
