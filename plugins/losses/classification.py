"""Conventions of the losses over logits, and access to the logits.

Logits are (B, K). Samples belong to class 0 (attack) or 1 (live) only; FeatherNet's streaming head has a
larger K, and its other classes take part in the softmax only.

Every loss is the plain mean over the batch, weighted or not: the sum of the samples' (weighted) losses / B.
`torch.nn.CrossEntropyLoss` divides by the sum of the weights instead, so that a sample's influence depends
on the rest of its batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fas_core import ConfigError
from fas_core.records.outputs import Outputs


def require_logits(outputs: Outputs, loss: str) -> Tensor:
    """Return the logits, (B, K), in float32 or better: half precision is too coarse for a loss.

    Raises:
        ConfigError: the model has no logits, because it predicts a map.
    """
    if outputs.logits is None or outputs.logits.shape[1] < 2:
        raise ConfigError(
            f"loss {loss!r} needs logits, and this model predicts a map: choose map_mse or contrast_depth"
        )
    return outputs.logits.to(torch.promote_types(outputs.logits.dtype, torch.float32))
