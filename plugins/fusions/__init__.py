"""The fusions: networks that join the modalities' branches into one decision."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Fusion, hookimpl
from fas_plugins.fusions import options


@hookimpl
def fas_fusions() -> Iterator[Fusion]:
    yield Fusion(
        name="single",
        summary="One modality, no fusion: the backbone's logits",
        target="fas_plugins.fusions.single:Single",
        takes="logits",
    )
    yield Fusion(
        name="concat_linear",
        summary="Feature level: the branches' embeddings, concatenated, and a linear layer",
        target="fas_plugins.fusions.concat_linear:ConcatLinear",
        takes="embeddings",
        options=options.ClassifierOptions,
        source="the multi-modal FeatherNet's feature-level fusion",
    )
    yield Fusion(
        name="pipenet",
        summary="The branches' maps, stacked, and three residual stages: 44.2 M parameters",
        target="fas_plugins.fusions.pipenet:PipeNet",
        takes="maps",
        options=options.ClassifierOptions,
        source="PipeNet (arXiv 2004.11744)",
    )
    yield Fusion(
        name="cdcn",
        summary="The branches' maps, stacked, and two central difference convolutions: 2.8 M parameters",
        target="fas_plugins.fusions.cdcn:CDCNFusion",
        takes="maps",
        options=options.CDCNFusionOptions,
        source="central difference convolution: arXiv 2003.04092",
    )
    yield Fusion(
        name="se_fusion",
        summary="The branches' maps re-weighted by squeeze and excitation, stacked, two residual stages",
        target="fas_plugins.fusions.se_fusion:SEFusion",
        takes="maps",
        options=options.SEFusionOptions,
        source="A Dataset and Benchmark for Large-scale Multi-modal Face Anti-spoofing (arXiv 1812.00408)",
    )
    yield Fusion(
        name="score_mean",
        summary="Late: the mean of the branches' probabilities",
        target="fas_plugins.fusions.score_mean:ScoreMean",
        takes="logits",
    )
    yield Fusion(
        name="input_concat",
        summary="Early: the modalities' channels stacked before one backbone",
        target="fas_plugins.fusions.input_concat:InputConcat",
        takes="inputs",
    )
