"""The loss of a recipe, as a module that training moves, saves and restores."""

from __future__ import annotations

from typing import cast

from attrs import fields_dict
from torch import Tensor, nn

from fas_core.config.components import LossChoice
from fas_core.contracts import LossFunction, ReadingLoss, SelectiveLoss
from fas_core.descriptors import Loss
from fas_core.errors import ConfigError, DataError, FasError, format_list
from fas_core.models.model import Model
from fas_core.records.outputs import Batch, Outputs
from fas_core.records.samples import SampleTable
from fas_core.registry import Registry

DEFAULT_NEEDS = ("logits",)
"""What a loss without the attribute `needs` is taken to need."""


class PlainLoss(nn.Module):
    """A loss that is no module, a function for instance, as a module without parameters."""

    def __init__(self, function: LossFunction) -> None:
        super().__init__()
        self.function = function

    def forward(self, outputs: Outputs, batch: Batch) -> Tensor:
        return self.function(outputs, batch)


def build_loss(choice: LossChoice, registry: Registry, model: Model) -> nn.Module:
    """Build a recipe's loss for its model.

    Raises:
        ConfigError: the model does not have the outputs that the loss needs.
        FasError: the loss is not callable.
    """
    loss = registry.find(Loss, choice.name).call(choice.options, model=model)
    if not callable(loss):
        raise FasError(f"loss {choice.name!r}: its target returned {loss!r}, which is not callable")
    check_outputs(choice.name, loss, model)
    return loss if isinstance(loss, nn.Module) else PlainLoss(cast(LossFunction, loss))


def list_needs(loss: object) -> tuple[str, ...]:
    """Return the names of the outputs that a loss needs."""
    return tuple(loss.needs) if isinstance(loss, SelectiveLoss) else DEFAULT_NEEDS


def list_target_modalities(loss: object) -> tuple[str, ...]:
    """Return the modalities from whose images a loss computes its target."""
    loss = loss.function if isinstance(loss, PlainLoss) else loss
    return tuple(loss.reads) if isinstance(loss, ReadingLoss) else ()


def check_outputs(name: str, loss: object, model: Model) -> None:
    """Compare what a loss needs with what the model has.

    Raises:
        ConfigError: the model does not have all of it.
    """
    needs, known = list_needs(loss), fields_dict(Outputs)
    if unknown := [output for output in needs if output not in known]:
        raise FasError(
            f"loss {name!r} needs {format_list(unknown)}, which no model has: outputs are {', '.join(known)}"
        )
    missing = [output for output in needs if output not in model.output_names]
    if missing:
        kind = "logits, such as focal" if "logits" in model.output_names else "the map, such as map_mse"
        origin = "" if isinstance(loss, SelectiveLoss) else " (as it declares no `needs`)"
        raise ConfigError(
            f"loss {name!r} needs the output {format_list(missing)}{origin}, and this model has only "
            f"{', '.join(model.output_names)}: choose another model, or a loss over {kind}"
        )


def check_targets(name: str, loss: object, samples: SampleTable) -> None:
    """Compare the modalities that a loss reads with those of the samples.

    Raises:
        DataError: a sample has no image of such a modality.
    """
    for modality in list_target_modalities(loss):
        if modality not in samples.modalities:
            problem = f"no {modality!r} images"
        elif empty := samples.column(modality).count(None):
            problem = f"{empty} of {len(samples)} samples have no {modality!r} image"
        else:
            continue
        raise DataError(
            f"{samples.root}: {problem}, from which loss {name!r} computes its target "
            f"(modalities: {', '.join(samples.modalities)})"
        )
