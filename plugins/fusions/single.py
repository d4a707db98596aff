"""The fusion of exactly one modality: none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from fas_core import ConfigError, NoOptions
from fas_core.contracts import BranchSize


class Single(nn.Module):
    """Return the only branch's logits unchanged: (B, K) -> (B, K).

    Raises:
        ConfigError: there is not exactly one modality.
    """

    def __init__(self, options: NoOptions, branches: Sequence[BranchSize], num_classes: int = 2) -> None:
        super().__init__()
        if len(branches) != 1:
            names = ", ".join(branch.modality for branch in branches) or "none"
            raise ConfigError(
                f"fusion 'single' takes one modality, not {len(branches)} ({names}): "
                "choose one modality, or another fusion such as concat_linear"
            )
        self.num_logits = cast(int, branches[0].logits)  # never None: this fusion takes logits

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: (B, K)}` -> (B, K)."""
        (logits,) = branches.values()
        return logits
