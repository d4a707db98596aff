"""What a training step needs: a batch in parts, losses that are read later, the compiled model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from attrs import define, field
from torch import Tensor

from fas_core.errors import ConfigError
from fas_core.models.model import Model
from fas_core.records.outputs import Batch, Outputs

READ_EVERY = 25
"""Losses that an accelerator computes before they are read: each reading waits for it."""


def split_batch(batch: Batch, parts: int) -> list[Batch]:
    """Split a batch into parts of nearly equal size, of two samples or more, as batch norms need."""
    parts = max(min(parts, len(batch.label) // 2), 1)
    images = {name: pixels.tensor_split(parts) for name, pixels in batch.images.items()}
    presence = [None] * parts if batch.presence is None else batch.presence.tensor_split(parts)
    return [
        Batch({name: pixels[part] for name, pixels in images.items()}, label, index, presence[part])
        for part, (label, index) in enumerate(
            zip(batch.label.tensor_split(parts), batch.index.tensor_split(parts), strict=True)
        )
    ]


@define
class PendingLosses:
    """Losses of batches, as scalars on the device, which may still compute them.

    On a CPU each is read at once.
    """

    device: torch.device
    losses: list[Tensor] = field(factory=list)

    def add(self, loss: Tensor) -> None:
        self.losses.append(loss)

    @property
    def due(self) -> bool:
        """Whether it is time to read them."""
        return len(self.losses) >= (1 if self.device.type == "cpu" else READ_EVERY)

    def read(self) -> list[float]:
        """Return the losses since the last reading, in order."""
        values = torch.stack(self.losses).tolist() if self.losses else []
        self.losses.clear()
        return values


def compile_forward(model: Model) -> Callable[..., Outputs]:
    """Return the model as code that PyTorch generates at the first call; the weights stay the model's.

    Calling it raises ConfigError where the code cannot be generated or built, as without a C++ compiler.
    """
    from torch._dynamo.exc import TorchDynamoException  # takes seconds to import

    compiled = torch.compile(model.compute, dynamic=False)

    def forward(*inputs: Any) -> Outputs:
        try:
            return Outputs(**compiled(*inputs))
        except TorchDynamoException as error:
            reason = " ".join(str(error).partition("\n\n")[0].split())
            raise ConfigError(f"train.compile: {reason}: leave it out to train without a compiler") from error

    return forward
