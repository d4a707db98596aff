"""Training that diverged: its loss or its weights are no finite numbers, which no further step mends."""

from __future__ import annotations

import torch
from torch import nn

from fas_core.errors import FasError


class DivergedError(FasError):
    """The loss or the weights are NaN or infinite; what was saved before stays."""


def are_finite(*modules: nn.Module) -> bool:
    """Return whether all parameters are finite numbers; this waits once for the device that they are on."""
    flags = [parameter.isfinite().all() for module in modules for parameter in module.parameters()]
    return not flags or bool(torch.stack(flags).all())
