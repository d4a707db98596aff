"""Reading published checkpoints, bare or in a training checkpoint; nothing in them is executed."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from attrs import frozen
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fas_core.errors import ModelError, format_list

SUFFIXES = (".pth", ".pth.tar", ".tar", ".pt", ".safetensors")
PREFIX = "module."
"""What `DataParallel` puts before every name."""

REFUSED = re.compile(r"[Uu]nsupported (?:global: )?(?:GLOBAL|class|operand) (\w[\w.]*)")
"""How torch says what it will not do: call something, or what state dicts never ask for."""


@frozen(eq=False)
class Published:
    """What a checkpoint file holds.

    Args:
        path: the file.
        weights: its state dict in the file's order, without `module.` prefixes.
        epoch: how many epochs it was trained for; None where the file does not say.
        optimizer: state dict of its optimiser; None where there is none.
    """

    path: Path
    weights: dict[str, Tensor]
    epoch: int | None = None
    optimizer: Mapping[str, Any] | None = None


def read_published(path: Path) -> Published:
    """Read a checkpoint of one of `SUFFIXES`.

    Raises:
        ModelError: it is not there, damaged, would run code, or holds no state dict.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file: give a checkpoint ({', '.join(SUFFIXES)})")
    if not path.name.endswith(SUFFIXES):
        raise ModelError(f"{path}: not the name of a checkpoint: it must end in {', '.join(SUFFIXES)}")
    held = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    if not isinstance(held, Mapping):
        raise ModelError(f"{path}: holds a {type(held).__name__} and no state dict")
    wrapped = isinstance(held.get("state_dict"), Mapping)
    weights = _bare(held["state_dict"] if wrapped else held, path)
    if not wrapped:
        return Published(path, weights)
    epoch, optimizer = held.get("epoch"), held.get("optimizer")
    return Published(
        path,
        weights,
        epoch if isinstance(epoch, int) and epoch >= 0 else None,
        optimizer if isinstance(optimizer, Mapping) else None,
    )


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: cannot be read as safetensors, perhaps truncated: {error}") from error


def _pickled(path: Path) -> object:
    """What `torch.save` wrote, as far as it is tensors, numbers, text and containers of them."""
    try:
        with warnings.catch_warnings():  # about protocols of pickle, before it refuses them
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if refused := REFUSED.search(str(error)):
            what = f"to read it is to call {refused[1]}" if "." in refused[1] else "it holds more than data"
            raise ModelError(
                f"{path}: refused: {what}; only state dicts of tensors are read: ask its author for one"
            ) from error
        raise ModelError(f"{path}: truncated, or no checkpoint of PyTorch") from error
    # Damaged bytes end the reader in whichever of these its next opcode happens to.
    except (RuntimeError, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ModelError(f"{path}: truncated, or no checkpoint of PyTorch") from error


def _bare(entries: Mapping[Any, Any], path: Path) -> dict[str, Tensor]:
    """The tensors of a state dict by their names without the prefix.

    Raises:
        ModelError: there are none, or something else is among them.
    """
    others = [str(name) for name, value in entries.items() if not isinstance(value, Tensor)]
    if others or not entries:
        held = f"holds {format_list(others)}" if others else "is empty"
        raise ModelError(f"{path}: no state dict of tensors: it {held}")
    prefixed = all(str(name).startswith(PREFIX) for name in entries)
    return {str(name)[len(PREFIX) if prefixed else 0 :]: value for name, value in entries.items()}
