"""Fusion of modalities by attention for fas. This module holds the descriptor only."""

from __future__ import annotations

from collections.abc import Iterator

from fas_attention.options import AttentionOptions
from fas_core import Fusion, hookimpl


@hookimpl
def fas_fusions() -> Iterator[Fusion]:
    yield Fusion(
        name="attention",
        summary="The branches' embeddings, weighted by attention over the modalities that are there",
        target="fas_attention.fusion:Attention",
        takes="embeddings",
        options=AttentionOptions,
        source="Attention-based Deep Multiple Instance Learning (arXiv 1802.04712)",
    )
