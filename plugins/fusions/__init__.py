"""Fusions: what joins the modalities' branches into one decision."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Fusion, hookimpl


@hookimpl
def fas_fusions() -> Iterator[Fusion]:
    yield Fusion(
        name="single",
        summary="One modality, no fusion: the backbone's own logits",
        target="fas_plugins.fusions.single:Single",
        takes="logits",
    )
    yield Fusion(
        name="concat_linear",
        summary="Feature level: the branches' embeddings, concatenated, and a linear layer",
        target="fas_plugins.fusions.concat_linear:ConcatLinear",
        takes="embeddings",
        source="the multi-modal FeatherNet's feature-level fusion",
    )
