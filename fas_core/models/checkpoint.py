"""Save and load weights (safetensors) and training state, and read checkpoints that others published.

A file is written completely or not at all; no code in a file is run.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import torch
from attrs import frozen
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from fas_core.atomic import replacing
from fas_core.errors import ModelError, format_list

SUFFIXES = (".pth", ".pth.tar", ".tar", ".pt", ".safetensors")
DATA_PARALLEL_PREFIX = "module."
"""Prefix that `torch.nn.DataParallel` puts before every name."""

REFUSAL = re.compile(r"[Uu]nsupported (?:global: )?(?:GLOBAL|class|operand) (\w[\w.]*)")
"""How torch words that it refuses to call a function, or an instruction that state dicts do not need."""


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the model's state dict as safetensors."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(tensors))  # not save_file, which reports a full disk by another exception


def load_weights(model: nn.Module, path: Path) -> None:
    """Load weights into the model; every name and shape must fit.

    Raises:
        ModelError: the file is missing or damaged, or holds the weights of another model.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such weights; has the run finished its first epoch?")
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: cannot be read as safetensors: {error}") from error
    if differences := _differences(model.state_dict(), weights):
        raise ModelError(f"{path}: of another model than the recipe's: {format_list(differences, 3)}")
    model.load_state_dict(weights)


def check_finite(weights: Mapping[str, Tensor], where: str) -> None:
    """Raise ModelError, which names `where`, if a weight is NaN or infinite."""
    names = [name for name, value in weights.items() if not bool(torch.isfinite(value).all())]
    if names:
        raise ModelError(f"{where}: weights that are not finite numbers: {format_list(names, 3)}")


def _differences(expected: dict[str, Tensor], actual: dict[str, Tensor]) -> list[str]:
    missing = [f"{name} is missing" for name in expected if name not in actual]
    unknown = [f"{name} is not in the model" for name in actual if name not in expected]
    mismatched = [
        f"{name} is {tuple(actual[name].shape)} and should be {tuple(value.shape)}"
        for name, value in expected.items()
        if name in actual and actual[name].shape != value.shape
    ]
    return missing + mismatched + unknown


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write a training state: tensors, numbers, text and containers of them."""
    buffer = BytesIO()
    torch.save(state, buffer)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())  # torch itself reports a full disk by another exception


def load_state(path: Path) -> dict[str, Any]:
    """Read a training state onto the CPU; no code in the file is run.

    Raises:
        ModelError: the file is missing or damaged.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no training state to resume from")
    try:
        return cast(dict[str, Any], torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelError(f"{path}: cannot be read as training state: {reason}") from error


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

    def __attrs_post_init__(self) -> None:
        check_finite(self.weights, str(self.path))


def read_published(path: Path) -> PublishedCheckpoint:
    """Read a checkpoint file, which has one of `SUFFIXES`.

    Raises:
        ModelError: the file is missing or damaged, would run code, or holds no state dict or weights that
            are not finite numbers.
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
            advice = "only state dicts of tensors are read: ask its author for one"
            raise ModelError(f"{path}: refused: {reason}; {advice}") from error
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
