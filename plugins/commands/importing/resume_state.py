"""The training state of a published checkpoint, from which `fas train --resume` continues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from attrs import asdict
from torch import Tensor, nn

from fas_core.errors import ModelError
from fas_core.models.matching import EntryMatch
from fas_core.models.model import Model
from fas_core.models.published import PublishedCheckpoint
from fas_core.runs.run import Run
from fas_core.training.loss import build_loss
from fas_core.training.optim import build_optimizer
from fas_core.training.progress import TrainingProgress

MOMENTUM = "momentum_buffer"


def build_resume_state(
    run: Run, model: Model, published: PublishedCheckpoint, matched: EntryMatch
) -> tuple[Run, dict[str, Any]]:
    """Return the run with the checkpoint's momentum and weight decay, and its training state.

    Args:
        run: the imported run.
        model: with the checkpoint's weights.
        published: the checkpoint.
        matched: pairs of entries of the model and the checkpoint.

    Raises:
        ModelError: the checkpoint has no epoch, or no optimiser that fits; the message has no path.
    """
    if published.epoch is None or published.optimizer is None:
        raise ModelError("the file has no epoch and optimizer")
    group, states = _read_sgd(published.optimizer)
    run = run.changed(
        {
            "train.optimizer": {"name": "sgd", "nesterov": bool(group.get("nesterov", False))},
            "train.momentum": float(group["momentum"]),
            "train.weight_decay": float(group["weight_decay"]),
        }
    )
    config, registry = run.recipe.train, run.registry
    loss = build_loss(run.recipe.loss, registry, model)
    torch.manual_seed(config.seed)
    parameters = list(nn.ModuleDict({"model": model, "loss": loss}).parameters())
    state = build_optimizer(config, registry, [{"params": parameters}]).state_dict()
    order = _order_parameters(model, matched, published.weights)
    state["state"] = _map_momenta(model, order, group["params"], states)
    return run, {
        "position": asdict(TrainingProgress(epoch=published.epoch)),
        "model": model.state_dict(),
        "loss": loss.state_dict(),
        "optimizer": state,
        "rng": torch.get_rng_state(),
    }


def _read_sgd(optimizer: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[Any, Any]]:
    """Return the one parameter group of an SGD, and the state of each parameter.

    Raises:
        ModelError: it is not SGD with momentum and one group.
    """
    groups, states = optimizer.get("param_groups"), optimizer.get("state")
    if not isinstance(groups, list) or len(groups) != 1 or not isinstance(states, Mapping):
        raise ModelError("its optimizer has more groups of parameters than one, or none")
    group = groups[0]
    if not isinstance(group, Mapping) or not {"params", "momentum", "weight_decay"} <= set(group):
        raise ModelError("its optimizer is not SGD with momentum")
    return group, states


def _order_parameters(model: Model, matched: EntryMatch, weights: Mapping[str, Tensor]) -> list[str]:
    """Return the model's parameter names in the order of the checkpoint's entries, without buffers.

    An optimiser knows parameters only by this order.
    """
    parameters = dict(model.named_parameters())
    model_names = {published: name for name, published in matched.pairs}
    return [model_names[name] for name in weights if model_names.get(name) in parameters]


def _map_momenta(
    model: Model, order: Sequence[str], keys: Sequence[Any], states: Mapping[Any, Any]
) -> dict[int, dict[str, Tensor]]:
    """Return the momentum of each parameter by its index in the model.

    Args:
        model: whose parameters count.
        order: the model's parameter names in the checkpoint's order.
        keys: the checkpoint's keys of its parameters, in that order.
        states: the state of each key.

    Raises:
        ModelError: the number of parameters or the shape of a momentum differs.
    """
    if len(order) != len(keys):
        raise ModelError(f"its optimizer is of {len(keys)} parameters, and the network has {len(order)}")
    parameters = dict(model.named_parameters())
    indices = {name: index for index, name in enumerate(parameters)}
    momenta: dict[int, dict[str, Tensor]] = {}
    for name, key in zip(order, keys, strict=True):
        state = states.get(key)
        momentum = state.get(MOMENTUM) if isinstance(state, Mapping) else None
        if momentum is None:
            continue
        if momentum.shape != parameters[name].shape:
            raise ModelError(f"its optimizer's momentum of {name} is {tuple(momentum.shape)}")
        momenta[indices[name]] = {MOMENTUM: momentum}
    return dict(sorted(momenta.items()))
