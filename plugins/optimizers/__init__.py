"""The optimizers: how gradients change the weights."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Optimizer, hookimpl
from fas_plugins.optimizers import options


@hookimpl
def fas_optimizers() -> Iterator[Optimizer]:
    yield Optimizer(
        name="sgd",
        summary="Stochastic gradient descent with momentum",
        target="fas_plugins.optimizers.sgd:build_sgd",
        options=options.SGDOptions,
        source="momentum: On the importance of initialization and momentum in deep learning (ICML 2013)",
    )
    yield Optimizer(
        name="adamw",
        summary="Adam with decoupled weight decay",
        target="fas_plugins.optimizers.adamw:build_adamw",
        options=options.AdamWOptions,
        source="Decoupled Weight Decay Regularization (arXiv 1711.05101)",
    )
    yield Optimizer(
        name="torch",
        summary="Any class of torch.optim by its name, with its arguments",
        target="fas_plugins.optimizers.by_name:build_by_name",
        options=options.ByNameOptions,
        source="torch.optim",
    )
