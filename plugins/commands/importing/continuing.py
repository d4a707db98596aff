"""A published training checkpoint's epoch and optimiser as the state that `fas train --resume` takes up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from attrs import asdict
from torch import Tensor, nn

from fas_core.descriptors import Loss
from fas_core.errors import ModelError
from fas_core.models.matching import EntryMatch
from fas_core.models.model import Model
from fas_core.models.published import PublishedCheckpoint
from fas_core.runs.run import Run
from fas_core.training.optim import build_optimizer
from fas_core.training.progress import TrainingProgress

MOMENTUM = "momentum_buffer"


def training_state(
    run: Run, model: Model, published: PublishedCheckpoint, matched: EntryMatch
) -> tuple[Run, dict[str, Any]]:
    """The run with the file's momentum and weight decay, and its training state.

    Raises:
        ModelError: the file has no epoch, or no optimiser that fits; the message has no path.
    """
    if published.epoch is None or published.optimizer is None:
        raise ModelError("the file has no epoch and optimizer")
    group, theirs = _sgd(published.optimizer)
    run = run.changed(
        {
            "train.optimizer": "sgd",
            "train.momentum": float(group["momentum"]),
            "train.weight_decay": float(group["weight_decay"]),
        }
    )
    config, registry = run.recipe.train, run.registry
    loss = registry.find(Loss, run.recipe.loss.name).load()(run.recipe.loss.options, model=model)
    torch.manual_seed(config.seed)
    optimizer = build_optimizer(config, nn.ModuleDict({"model": model, "loss": loss}).parameters())
    state = optimizer.state_dict()
    state["state"] = _momenta(model, matched, published.weights, group["params"], theirs)
    state["param_groups"][0]["nesterov"] = bool(group.get("nesterov", False))
    return run, {
        "position": asdict(TrainingProgress(epoch=published.epoch)),
        "model": model.state_dict(),
        "loss": loss.state_dict(),
        "optimizer": state,
        "rng": torch.get_rng_state(),
    }


def _sgd(optimizer: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[Any, Any]]:
    """The one group of parameters of an SGD, and the state of each."""
    groups, state = optimizer.get("param_groups"), optimizer.get("state")
    if not isinstance(groups, list) or len(groups) != 1 or not isinstance(state, Mapping):
        raise ModelError("its optimizer has more groups of parameters than one, or none")
    group = groups[0]
    if not isinstance(group, Mapping) or not {"params", "momentum", "weight_decay"} <= set(group):
        raise ModelError("its optimizer is not SGD with momentum")
    return group, state


def _momenta(
    model: Model,
    matched: EntryMatch,
    weights: Mapping[str, Tensor],
    keys: list[Any],
    theirs: Mapping[Any, Any],
) -> dict[int, dict[str, Tensor]]:
    """The momentum of each of our parameters by its place.

    An optimiser knows parameters by their order, which is that of the file's entries without the buffers.
    """
    ours = dict(model.named_parameters())
    our_name = {published: name for name, published in matched.pairs}
    order = [our_name[name] for name in weights if our_name.get(name) in ours]
    if len(order) != len(keys):
        raise ModelError(f"its optimizer is of {len(keys)} parameters, and the network has {len(order)}")
    places = {name: place for place, name in enumerate(ours)}
    momenta: dict[int, dict[str, Tensor]] = {}
    for name, key in zip(order, keys, strict=True):
        entry = theirs.get(key)
        momentum = entry.get(MOMENTUM) if isinstance(entry, Mapping) else None
        if momentum is None:
            continue
        if momentum.shape != ours[name].shape:
            raise ModelError(f"its optimizer's momentum of {name} is {tuple(momentum.shape)}")
        momenta[places[name]] = {MOMENTUM: momentum}
    return dict(sorted(momenta.items()))
