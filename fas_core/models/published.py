"""Read published checkpoints: a bare state dict, or one in a training checkpoint; no code in them is run."""

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
DATA_PARALLEL_PREFIX = "module."
"""Prefix that `torch.nn.DataParallel` puts before every name."""

REFUSAL = re.compile(r"[Uu]nsupported (?:global: )?(?:GLOBAL|class|operand) (\w[\w.]*)")
"""How torch words that it refuses to call a function, or an instruction that state dicts do not need."""


@frozen(eq=False)
class PublishedCheckpoint:
    """Contents of a checkpoint file; None for what it does not hold.

    Args:
        weights: state dict in the file's order, names without `DataParallel`'s prefix.
        epoch: number of epochs it was trained for.
        optimizer: state dict of its optimiser.
    """

    path: Path
    weights: dict[str, Tensor]
    epoch: int | None = None
    optimizer: Mapping[str, Any] | None = None


def read_published(path: Path) -> PublishedCheckpoint:
    """Read a checkpoint file, which has one of `SUFFIXES`.

    Raises:
        ModelError: the file is missing or damaged, would run code, or holds no state dict.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file: give a checkpoint ({', '.join(SUFFIXES)})")
    if not path.name.endswith(SUFFIXES):
        raise ModelError(f"{path}: not the name of a checkpoint: it must end in {', '.join(SUFFIXES)}")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if not isinstance(content, Mapping):
        raise ModelError(f"{path}: holds a {type(content).__name__} and no state dict")
    if not isinstance(content.get("state_dict"), Mapping):
        return PublishedCheckpoint(path, _clean_state_dict(content, path))
    epoch, optimizer = content.get("epoch"), content.get("optimizer")
    return PublishedCheckpoint(
        path,
        _clean_state_dict(content["state_dict"], path),
        epoch if isinstance(epoch, int) and epoch >= 0 else None,
        optimizer if isinstance(optimizer, Mapping) else None,
    )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: cannot be read as safetensors, perhaps truncated: {error}") from error


def _read_pickle(path: Path) -> object:
    """Read what `torch.save` wrote, if it is tensors, numbers, text and containers of them."""
    try:
        with warnings.catch_warnings():  # about pickle's protocols, before torch refuses them
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if refusal := REFUSAL.search(str(error)):
            name = refusal[1]
            reason = f"reading it would call {name}" if "." in name else "it holds more than data"
            raise ModelError(
                f"{path}: refused: {reason}; only state dicts of tensors are read: ask its author for one"
            ) from error
        raise ModelError(f"{path}: truncated, or no checkpoint of PyTorch") from error
    # Damaged bytes stop the unpickler with any of these, depending on the instruction they happen to give.
    except (RuntimeError, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ModelError(f"{path}: truncated, or no checkpoint of PyTorch") from error


def _clean_state_dict(entries: Mapping[Any, Any], path: Path) -> dict[str, Tensor]:
    """Return the tensors by name, without `DataParallel`'s prefix; refuse anything else, and no tensors."""
    others = [str(name) for name, value in entries.items() if not isinstance(value, Tensor)]
    if others or not entries:
        content = f"holds {format_list(others)}" if others else "is empty"
        raise ModelError(f"{path}: no state dict of tensors: it {content}")
    prefixed = all(str(name).startswith(DATA_PARALLEL_PREFIX) for name in entries)
    start = len(DATA_PARALLEL_PREFIX) if prefixed else 0
    return {str(name)[start:]: value for name, value in entries.items()}
