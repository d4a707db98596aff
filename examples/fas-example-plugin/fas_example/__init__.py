"""A loss and a metric for fas. This module holds descriptors only, because most `fas` commands import it."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Loss, Metric, hookimpl
from fas_example.options import Poly1Options


@hookimpl
def fas_losses() -> Iterator[Loss]:
    yield Loss(
        name="poly1",
        summary="Cross entropy plus epsilon times (1 - p)",
        target="fas_example.poly1:Poly1",
        options=Poly1Options,
        source="PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions "
        "(arXiv 2204.12511)",
    )


@hookimpl
def fas_metrics() -> Iterator[Metric]:
    yield Metric(
        name="brier",
        summary="Mean squared difference between score and label",
        target="fas_example.brier:brier",
        source="Verification of forecasts expressed in terms of probability (Brier, 1950)",
    )
