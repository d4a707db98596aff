"""Convolutions that do the work of the batch norms after them, as scoring needs no statistics of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from threading import Lock
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fas_core.contracts import Images, Scorer
from fas_core.models.model import Model, compute_outputs, scorer
from fas_core.models.synchronized_norm import SynchronizedBatchNorm

TRIAL = 2
"""Samples of the first batch that show what may be folded."""

TOLERANCE = 1e-4
"""Least difference of logits, absolute and relative, for which a folded model is not used."""

NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm, SynchronizedBatchNorm)


def folded_scorer(model: Model) -> Scorer:
    """Return the model as a function of byte arrays, as `scorer` does, equal but for rounding and faster.

    Its first batch decides: where a batch norm takes exactly what a convolution gives, both become one in a
    copy of the model. The copy scores if it gives the first samples the logits that the model does. Threads
    may share it.
    """
    folded: Scorer | None = None
    folding = Lock()

    def score(images: Images, presence: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        nonlocal folded
        with folding:  # a thread must not copy the model while another one watches its layers
            if folded is None:
                first = {name: pixels[:TRIAL] for name, pixels in images.items()}
                folded = scorer(_fold(model.eval(), first, None if presence is None else presence[:TRIAL]))
        return folded(images, presence)

    return score


def _fold(model: Model, images: Images, presence: NDArray[np.bool_] | None) -> Model:
    """Return a folded copy of the model, or the model where nothing can be folded."""
    with _observe(model) as pairs:
        expected = _compute_logits(model, images, presence)
    if not pairs:
        return model
    try:
        copy = deepcopy(model)
    except RuntimeError:  # it keeps tensors of a training step, which PyTorch does not copy
        return model
    for conv, norm in pairs.items():
        layer, statistics = copy.get_submodule(conv), copy.get_submodule(norm)
        fused = fuse_conv_bn_eval(cast(nn.Conv2d, layer), cast(nn.BatchNorm2d, statistics))
        copy.set_submodule(conv, fused)
        copy.set_submodule(norm, nn.Identity())
    is_equal = torch.allclose(_compute_logits(copy, images, presence), expected, TOLERANCE, TOLERANCE)
    return copy if is_equal else model


def _compute_logits(model: Model, images: Images, presence: NDArray[np.bool_] | None) -> Tensor:
    """Return the logits of a batch, or the scores of a model that has none."""
    outputs = compute_outputs(model, images, presence)
    return outputs.score if outputs.logits is None else outputs.logits


@contextmanager
def _observe(model: Model) -> Iterator[dict[str, str]]:
    """Yield a table that calls of the model in the block fill: `{convolution: its batch norm}`, by name.

    Neither is called twice, nor does a second batch norm take what the convolution gives.
    """
    names = _names_of_plain_modules(model)
    outputs: dict[int, tuple[str, Tensor]] = {}  # with the tensor, lest another one gets its number
    pairs: dict[str, str] = {}
    calls: Counter[str] = Counter()

    def after_convolution(conv: nn.Module, _: object, output: Tensor) -> None:
        calls[names[conv]] += 1
        outputs[id(output)] = names[conv], output

    def before_norm(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        calls[names[norm]] += 1
        if inputs and id(inputs[0]) in outputs:
            conv, _ = outputs[id(inputs[0])]
            calls[conv] += conv in pairs
            pairs[conv] = names[norm]

    with ExitStack() as hooks:
        for module in names:
            is_conv = isinstance(module, nn.Conv2d)
            hooks.enter_context(
                module.register_forward_hook(after_convolution)
                if is_conv
                else module.register_forward_pre_hook(before_norm)
            )
        yield pairs
    for conv, norm in list(pairs.items()):
        if max(calls[conv], calls[norm]) > 1:
            del pairs[conv]


def _names_of_plain_modules(model: nn.Module) -> dict[nn.Module, str]:
    """Return the convolutions and batch norms that are nothing else, in one place, and watched by nobody."""
    counts = Counter(module for _, module in model.named_modules(remove_duplicate=False))
    return {
        module: name
        for name, module in model.named_modules()
        if type(module) in (nn.Conv2d, *NORMS)
        and counts[module] == 1
        and not module._forward_hooks
        and not module._forward_pre_hooks
        and (not isinstance(module, _BatchNorm) or module.running_mean is not None)
    }
