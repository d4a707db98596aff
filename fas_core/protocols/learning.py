"""How losses, optimizers and schedules are called, and what is optional for a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from fas_core.protocols.contract_type import ContractType
from fas_core.records.hyperparameters import Hyperparameters
from fas_core.records.outputs import Batch, Outputs

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class LossFunction(Protocol, metaclass=ContractType):
    """Returns the mean loss of a batch, a scalar.

    It is a function or any other callable; parameters of an `nn.Module` are trained with the model's.
    Optional: `SelectiveLoss`, `ReadingLoss`, `PairwiseLoss`.
    """

    def __call__(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Return the mean loss, (), of a batch."""


@runtime_checkable
class SelectiveLoss(Protocol, metaclass=ContractType):
    """Optional for a loss: names of the `Outputs` that it needs; without this attribute, the `logits`.

    A model that does not have them is refused before training begins.
    """

    needs: tuple[str, ...]


@runtime_checkable
class ReadingLoss(Protocol, metaclass=ContractType):
    """Optional for a loss: it computes its target from the images of these modalities.

    The model need not take them. Data without them are refused before training begins.
    """

    reads: tuple[str, ...]


@runtime_checkable
class PairwiseLoss(Protocol, metaclass=ContractType):
    """Optional for a loss: it compares the samples of a batch with each other, as contrastive losses do.

    It is a mean over what it compares. Where a batch is divided over processes, or into steps by
    `train.accumulate`, the samples of each part are compared.
    """

    pairwise: Literal[True]


class OptimizerFunction(Protocol, metaclass=ContractType):
    """Builds a `torch.optim.Optimizer`: the class itself will do, if its constructor takes these arguments.

    It is updated by `step(None)`, after the gradients were computed; some parameters may have none. Before
    each update its groups' `lr` is set, to the schedule's rate x the group's `lr_factor`. Its `state_dict`
    holds tensors, numbers, text and containers of them, the same entries after every update, and continues a
    training in an optimizer that was built anew.

    Args:
        parameters: groups as PyTorch has them: `{"params": [...], "lr": 0.01, "lr_factor": 1.0}`; the
            optimizer keeps all three.
    """

    def __call__(
        self, options: Any, parameters: list[dict[str, Any]], train: Hyperparameters
    ) -> torch.optim.Optimizer:
        """Return the optimizer of the groups."""


class ScheduleFunction(Protocol, metaclass=ContractType):
    """What a schedule's target returns: the factor of the learning rate for an update, >= 0.

    `update` counts from 0 to `train.epochs` x `updates_per_epoch` - 1; `update // updates_per_epoch` is its
    epoch. The factor depends on nothing else, so that a run that is resumed goes on with the same.
    """

    def __call__(self, update: int, /) -> float:
        """Return the factor."""
