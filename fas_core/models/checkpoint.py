"""Save and load weights (safetensors) and training state.

A file is written completely or not at all; no code in a file is run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from fas_core.atomic import replacing
from fas_core.digests import WEIGHTS_DIGEST, check_model_file, read_weights_digest, seal_model_file
from fas_core.errors import ModelError, format_list
from fas_core.models.pickled import DAMAGE, load_pickled

MAX_HEADER = 4_000_000
"""Bytes of a safetensors header: that of some 40,000 tensors."""


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the model's state dict as safetensors, with the digest of its tensors in the metadata."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with replacing(path) as temporary:
        content = save(tensors, {WEIGHTS_DIGEST: hash_tensors(tensors)})
        temporary.write_bytes(content)  # not save_file, which reports a full disk by another exception


def load_weights(model: nn.Module, path: Path) -> None:
    """Load weights into the model; every name and shape must fit.

    Raises:
        ModelError: the file is missing or damaged, or holds the weights of another model.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such weights; has the run finished its first epoch?")
    weights = read_safetensors(path)
    if differences := _differences(model.state_dict(), weights):
        raise ModelError(f"{path}: of another model than the recipe's: {format_list(differences, 3)}")
    model.load_state_dict(weights)


def check_finite(weights: Mapping[str, Tensor], where: str) -> None:
    """Raise ModelError, which names `where`, if a weight is NaN, infinite or complex."""
    names = [name for name, value in weights.items() if not _is_finite(value)]
    if names:
        raise ModelError(f"{where}: weights that are not finite numbers: {format_list(names, 3)}")


def _is_finite(value: Tensor) -> bool:
    """Return whether all values are finite real numbers, of a type that a model's weights can be made of."""
    try:
        if value.is_floating_point() and value.element_size() == 1:  # which isfinite cannot judge
            value = value.float()
        return not value.is_complex() and bool(torch.isfinite(value).all())
    except NotImplementedError:  # of packed 4 bit numbers
        return False


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
        seal_model_file(temporary)


def load_state(path: Path) -> dict[str, Any]:
    """Read a training state onto the CPU; no code in the file is run.

    Raises:
        ModelError: the file is missing or damaged.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no training state to resume from")
    check_model_file(path, "restore a copy of it, or train anew")
    try:
        state = load_pickled(path)
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path}: cannot be read as training state: {reason}") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path}: cannot be read as training state: it holds a {type(state).__name__}")
    return state


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read tensors, and check them against their digest where the file holds one; raise ModelError."""
    try:
        with path.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if MAX_HEADER < header <= path.stat().st_size:
            raise ValueError(f"a header of {header / 1e6:,.0f} MB")
        weights = load_file(path)
    except (SafetensorError, *DAMAGE) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path}: cannot be read as safetensors, perhaps truncated: {reason}") from error
    digest = read_weights_digest(path)
    if digest is not None and digest != hash_tensors(weights):
        raise ModelError(
            f"{path}: damaged: its tensors are not those that were written; restore a copy of it"
        )
    return weights


def hash_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of tensors with their names, types and shapes, in hexadecimal digits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
