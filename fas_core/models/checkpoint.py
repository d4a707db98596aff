"""Weights as safetensors, training state beside them; both written whole or not at all."""

from __future__ import annotations

import pickle
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from fas_core.atomic import replacing
from fas_core.errors import ModelError, format_list


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the state dict as safetensors."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors))  # not save_file: a full disk is an OSError only this way


def load_weights(model: nn.Module, path: Path) -> None:
    """Fill the model from safetensors; every name and shape must fit.

    Raises:
        ModelError: the file is missing or damaged, or is of another model.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such weights; has the run finished its first epoch?")
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: cannot be read as safetensors: {error}") from error
    wanted = model.state_dict()
    if problems := _differences(wanted, found):
        raise ModelError(f"{path}: of another model than the recipe's: {format_list(problems, 3)}")
    model.load_state_dict(found)


def _differences(wanted: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    missing = [f"{name} is missing" for name in wanted if name not in found]
    extra = [f"{name} is not in the model" for name in found if name not in wanted]
    shapes = [
        f"{name} is {tuple(found[name].shape)} and should be {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in found and found[name].shape != value.shape
    ]
    return missing + shapes + extra


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write what resuming needs: tensors, numbers and containers of them."""
    buffer = BytesIO()
    torch.save(state, buffer)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())  # not by torch: a full disk is an OSError only this way


def load_state(path: Path) -> dict[str, Any]:
    """Read it back; nothing in the file is executed.

    Raises:
        ModelError: it is missing or damaged.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no training state to resume from")
    try:
        return cast(dict[str, Any], torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelError(f"{path}: cannot be read as training state: {reason}") from error
