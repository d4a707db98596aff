"""What a recipe says of a training to every optimizer and every schedule."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Hyperparameters:
    """Keys of a recipe's section `train`; a component reads those that it has a use for.

    Args:
        lr: learning rate, > 0; a schedule multiplies it.
        momentum: of optimizers that have one, in [0, 1).
        weight_decay: of optimizers that have one, >= 0.
        epochs: of the whole training.
        decay: factor of the learning rate at each decay, in (0, 1], of schedules that fall in steps.
        every_decay: epochs between decays, likewise.
    """

    lr: float
    momentum: float
    weight_decay: float
    epochs: int
    decay: float
    every_decay: int
