"""The supervised contrastive loss for fas. This module holds the descriptor only."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Loss, hookimpl
from fas_supcon.options import SupConOptions


@hookimpl
def fas_losses() -> Iterator[Loss]:
    yield Loss(
        name="supcon",
        summary="Cross entropy, and a loss that draws embeddings of one class together",
        target="fas_supcon.loss:SupCon",
        options=SupConOptions,
        source="Supervised Contrastive Learning (arXiv 2004.11362)",
    )
