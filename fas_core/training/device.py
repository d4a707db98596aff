"""Where training computes, and how precisely."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from fas_core.config.recipe import TrainConfig
from fas_core.errors import ConfigError


def accelerator_for(config: TrainConfig) -> Accelerator:
    """Device and precision by the recipe; under `torchrun`, one process per device.

    Raises:
        ConfigError: the device is not there, or cannot compute at that precision.
    """
    kind = torch.device(config.device).type if config.device != "auto" else "auto"
    if kind not in ("auto", "cpu") and not getattr(torch, kind).is_available():
        raise ConfigError(f"train.device: {config.device!r} is not available here: use 'cpu' or 'auto'")
    if config.amp == "fp16" and (kind == "cpu" or not torch.accelerator.is_available()):
        raise ConfigError("train.amp: fp16 needs an accelerator: use 'bf16' or 'fp32' on a CPU")
    # accelerate keeps the precision of the process's first Accelerator; each job has its own.
    AcceleratorState._reset_state()
    return Accelerator(mixed_precision="no" if config.amp == "fp32" else config.amp, cpu=kind == "cpu")
