"""An augmentation, an optimizer and a schedule for fas. This module holds the descriptors only."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Augmentation, Optimizer, Schedule, hookimpl
from fas_training.options import HideAndSeekOptions, LionOptions, PolynomialOptions


@hookimpl
def fas_augmentations() -> Iterator[Augmentation]:
    yield Augmentation(
        name="hide_and_seek",
        summary="Hides patches of a grid, the same of every modality",
        target="fas_training.hide_and_seek:HideAndSeek",
        options=HideAndSeekOptions,
        source="Hide-and-Seek (arXiv 1704.04232)",
    )


@hookimpl
def fas_optimizers() -> Iterator[Optimizer]:
    yield Optimizer(
        name="lion",
        summary="The sign of a momentum; at about a tenth of the learning rate of SGD",
        target="fas_training.lion:Lion",
        options=LionOptions,
        source="Symbolic Discovery of Optimization Algorithms (arXiv 2302.06675)",
    )


@hookimpl
def fas_schedules() -> Iterator[Schedule]:
    yield Schedule(
        name="polynomial",
        summary="Falls to zero as a power of the remaining share of the training",
        target="fas_training.polynomial:build_polynomial",
        options=PolynomialOptions,
        source="DeepLab (arXiv 1606.00915)",
    )
