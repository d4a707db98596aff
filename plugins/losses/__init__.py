"""Losses: what training minimises."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Loss, hookimpl
from fas_plugins.losses.options import CrossEntropyOptions, FocalOptions


@hookimpl
def fas_losses() -> Iterator[Loss]:
    yield Loss(
        name="focal",
        summary="Cross entropy that weighs easy samples down by (1 - p)^gamma",
        target="fas_plugins.losses.focal:Focal",
        options=FocalOptions,
        source="Focal Loss for Dense Object Detection (arXiv 1708.02002)",
    )
    yield Loss(
        name="cross_entropy",
        summary="Cross entropy with class weights and label smoothing",
        target="fas_plugins.losses.cross_entropy:CrossEntropy",
        options=CrossEntropyOptions,
        source="label smoothing: Rethinking the Inception Architecture (arXiv 1512.00567)",
    )
