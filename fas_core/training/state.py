"""The training state of a run in one file: all that continuing exactly where it stopped needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from attrs import asdict
from torch import Tensor

from fas_core.config.plain import structure_plain
from fas_core.errors import FasError, ModelError
from fas_core.models.checkpoint import load_state, save_state
from fas_core.models.pickled import DAMAGE
from fas_core.training.progress import TrainingProgress
from fas_core.training.updates import Updater


def write_training_state(path: Path, updater: Updater, progress: TrainingProgress) -> None:
    """Write how far a training has come, its weights and optimiser, and where its random numbers stand."""
    state = {
        "position": asdict(progress),
        **updater.state_dict(),
        "rng": torch.get_rng_state(),
        "device_rng": _device_rng(updater.accelerator.device),
    }
    save_state(state, path)


def read_training_state(path: Path, updater: Updater) -> TrainingProgress:
    """Load a training state into what it was written of, and return how far it had come.

    Raises:
        ModelError: it is missing or damaged, or of another model, loss or optimiser.
    """
    state = load_state(path)
    try:
        updater.load_state_dict(state)
        torch.set_rng_state(state["rng"])
        _set_device_rng(updater.accelerator.device, state.get("device_rng", {}))
        return structure_plain(state["position"], TrainingProgress, "its position")
    except (*DAMAGE, FasError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path}: does not fit this run: {reason}") from error


def _device_rng(device: torch.device) -> dict[str, Tensor]:
    """Return where the random numbers of an accelerator stand, by its type; those of a CPU are `rng`."""
    if device.type == "cpu":
        return {}
    return {device.type: torch.get_device_module(device.type).get_rng_state(device)}


def _set_device_rng(device: torch.device, states: Mapping[str, Tensor]) -> None:
    """Go on with an accelerator's random numbers, where the state was written on one of its type."""
    if device.type in states:
        torch.get_device_module(device.type).set_rng_state(states[device.type], device)
