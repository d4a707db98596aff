"""What the losses over logits share.

Logits are (B, K). Classes 0 (attack) and 1 (live) are the only ones that samples have; under FeatherNet's
streaming head K is more, and the others take part in the softmax only.

Every loss is the plain mean over the batch, weighted or not: the sum of the samples' (weighted) losses
over B. `torch.nn.CrossEntropyLoss` divides by the sum of the weights instead, under which what a sample
counts depends on which others share its batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fas_core import ConfigError
from fas_core.records.outputs import Outputs


def logits_of(outputs: Outputs, loss: str) -> Tensor:
    """The logits, (B, K), in float32 or better: half-precision ones lose what the loss is made of.

    Raises:
        ConfigError: the model has none: it predicts a map, and its one output is a score.
    """
    if outputs.logits is None or outputs.logits.shape[1] < 2:
        raise ConfigError(
            f"loss {loss!r} needs logits, and this model predicts a map: choose map_mse or contrast_depth"
        )
    return outputs.logits.to(torch.promote_types(outputs.logits.dtype, torch.float32))
