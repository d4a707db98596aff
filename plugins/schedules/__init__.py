"""The schedules: how the learning rate changes in the course of a training. None of them needs torch."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Schedule, hookimpl
from fas_plugins.schedules import options


@hookimpl
def fas_schedules() -> Iterator[Schedule]:
    yield Schedule(
        name="step",
        summary="Multiplies the rate by train.decay every train.every_decay epochs",
        target="fas_plugins.schedules.step:build_step",
        source="the published FeatherNets training",
    )
    yield Schedule(
        name="cosine",
        summary="Half a cosine from the rate to 0 over all epochs",
        target="fas_plugins.schedules.cosine:build_cosine",
        options=options.CosineOptions,
        source="SGDR: Stochastic Gradient Descent with Warm Restarts (arXiv 1608.03983), one cycle",
    )
    yield Schedule(
        name="constant",
        summary="Keeps the rate",
        target="fas_plugins.schedules.constant:build_constant",
    )
    yield Schedule(
        name="one_cycle",
        summary="Rises from a small rate to the rate and falls to nearly 0, update by update",
        target="fas_plugins.schedules.one_cycle:build_one_cycle",
        options=options.OneCycleOptions,
        source="Super-Convergence: Very Fast Training Using Large Learning Rates (arXiv 1708.07120)",
    )
    yield Schedule(
        name="warmup",
        summary="Rises in the first updates to what another schedule has",
        target="fas_plugins.schedules.warmup:build_warmup",
        options=options.WarmupOptions,
        source="Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (arXiv 1706.02677), section 2.2",
    )
