"""Loading the state of an optimizer, of whatever class: only one that the next update can use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fas_core.training.optim import Groups


def describe_state(build: Callable[[Groups], torch.optim.Optimizer], groups: Groups) -> dict[str, Any]:
    """Return the state dict that an optimizer of such parameters has after an update.

    Args:
        build: builds the optimizer of parameter groups.
        groups: as those of the optimizer; they stay as they are, for their copies are updated: zeros, with
            gradients of ones.
    """
    optimizer = build([{**group, "params": list(map(_imitate, group["params"]))} for group in groups])
    optimizer.step()
    return dict(optimizer.state_dict())


def _imitate(parameter: Tensor) -> nn.Parameter:
    """Return another parameter of the same shape, type and device, with a gradient."""
    copy = nn.Parameter(torch.zeros_like(parameter))
    copy.grad = torch.ones_like(parameter)
    return copy


def load_optimizer_state(optimizer: Any, state: Any, expected: Mapping[str, Any]) -> None:
    """Load the state of an optimizer of the same kind and parameters.

    Options that the state lacks, e.g. of an older torch, stay as they are.

    Args:
        optimizer: to load it into.
        state: what its `state_dict` returned.
        expected: what `describe_state` returns of its kind and parameters; their values are compared.

    Raises:
        TypeError, ValueError, LookupError, ...: a value is of another type or shape, which torch would not
            notice before the next update.
    """
    groups = []
    for group, own in zip(state["param_groups"], optimizer.state_dict()["param_groups"], strict=True):
        if any(_kind(group.get(name, value)) != _kind(value) for name, value in own.items()):
            raise ValueError("the optimizer has options of other types")
        if group["params"] != own["params"]:
            raise ValueError("the optimizer is of other parameters")
        groups.append({**own, **group})
    for index, values in state["state"].items():
        if not _is_alike(_leave_out_unset(values), _leave_out_unset(expected["state"].get(index, {}))):
            raise ValueError(f"the optimizer has other values of parameter {index}")
    optimizer.load_state_dict({**state, "param_groups": groups})


def _kind(value: object) -> object:
    """Return the type of an option, whole numbers as any; a switch, which decides what is stored, itself."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return tuple(_kind(item) for item in value)
    return float if type(value) is int else type(value)


def _leave_out_unset(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are set: older versions of torch noted an absent momentum as None."""
    return {name: value for name, value in values.items() if value is not None}


def _is_alike(value: object, expected: object) -> bool:
    """Return whether a value can take the place of another: tensors of a shape, numbers, or containers."""
    if isinstance(expected, Tensor):
        return (
            isinstance(value, Tensor)
            and value.shape == expected.shape
            and value.is_floating_point() == expected.is_floating_point()
        )
    if isinstance(expected, Mapping):
        return (
            isinstance(value, Mapping)
            and value.keys() == expected.keys()
            and all(_is_alike(value[name], item) for name, item in expected.items())
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(expected)
            and all(map(_is_alike, value, expected))
        )
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(expected)


def load_scaler_state(scaler: Any, state: Any) -> None:
    """Load the state of a `torch.amp.GradScaler`.

    Raises:
        AttributeError, ValueError: a value is missing, or no number, which torch would not notice before the
            next update.
    """
    if state.keys() != scaler.state_dict().keys() or not all(
        type(value) in (int, float) for value in state.values()
    ):
        raise ValueError("the scaler of gradients has other values")
    scaler.load_state_dict(state)
