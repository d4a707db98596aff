"""The losses: what training minimises."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Loss, hookimpl
from fas_plugins.losses import options

CENTRAL_DIFFERENCE = (
    "Searching Central Difference Convolutional Networks for Face Anti-Spoofing (arXiv 2003.04092)"
)


@hookimpl
def fas_losses() -> Iterator[Loss]:
    yield Loss(
        name="focal",
        summary="Cross entropy that weights easy samples down by (1 - p)^gamma",
        target="fas_plugins.losses.focal:Focal",
        options=options.FocalOptions,
        source="Focal Loss for Dense Object Detection (arXiv 1708.02002)",
    )
    yield Loss(
        name="cross_entropy",
        summary="Cross entropy with class weights and label smoothing",
        target="fas_plugins.losses.cross_entropy:CrossEntropy",
        options=options.CrossEntropyOptions,
        source="label smoothing: Rethinking the Inception Architecture (arXiv 1512.00567)",
    )
    yield Loss(
        name="map_mse",
        summary="Squared error of the predicted map, against the face's mask or depth",
        target="fas_plugins.losses.maps:MapMSE",
        options=options.MapOptions,
        source=CENTRAL_DIFFERENCE,
    )
    yield Loss(
        name="contrast_depth",
        summary="CDCN's supervision: the map's contrasts with its eight neighbours, and map_mse",
        target="fas_plugins.losses.maps:ContrastDepth",
        options=options.ContrastDepthOptions,
        source=CENTRAL_DIFFERENCE,
    )
    yield Loss(
        name="am_softmax",
        summary="Softmax over cosines with an additive margin; needs a fusion with classifier: cosine",
        target="fas_plugins.losses.am_softmax:AMSoftmax",
        options=options.AMSoftmaxOptions,
        source="Additive Margin Softmax for Face Verification (arXiv 1801.05599)",
    )
