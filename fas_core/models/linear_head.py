"""The linear layer that computes a model's logits: find it, read its input, set its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fas_core.errors import ConfigError
from fas_core.models.model import Model


def capture_input(
    model: Model, layer: nn.Module, images: dict[str, Tensor], presence: Tensor | None = None
) -> tuple[Tensor | None, Tensor]:
    """Return the model's logits, (B, K), and what the layer takes, (B, E)."""
    inputs: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, arguments: inputs.append(arguments[0]))
    try:
        with torch.inference_mode():
            logits = model(images, presence).logits
    finally:
        hook.remove()
    return logits, inputs[0]


def find_classifier(model: Model) -> nn.Linear:
    """Return the linear layer whose output is the model's logits.

    Raises:
        ConfigError: there is none, or it has more than two classes.
    """
    side = model.face_size
    generator = torch.Generator().manual_seed(0)
    images = {
        name: torch.randint(0, 256, (2, side, side, 3), generator=generator, dtype=torch.uint8)
        for name in model.modalities
    }
    presence = torch.ones(2, len(model.modalities), dtype=torch.bool) if model.partial else None
    outputs: dict[nn.Linear, Tensor] = {}
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]

    def remember(layer: nn.Linear, _: Any, output: Tensor) -> None:
        outputs[layer] = output

    hooks = [layer.register_forward_hook(remember) for layer in layers]
    try:
        with torch.inference_mode():
            logits = model(images, presence).logits
    finally:
        for hook in hooks:
            hook.remove()
    for layer, output in outputs.items():
        if logits is not None and output.shape == logits.shape and torch.equal(output.float(), logits):
            if layer.out_features != 2 or layer.bias is None:
                raise ConfigError("train.solver convex: the classifier must have two classes and a bias")
            return layer
    raise ConfigError(
        "train.solver convex: needs logits that one linear layer computes from an embedding, which this "
        "model has not: choose a backbone with such a head (feathernet_b: head: linear) or a fusion of "
        "embeddings (concat_linear), without model.patches"
    )


def write_classifier(layer: nn.Linear, weights: NDArray[np.float64], bias: float) -> None:
    """Set a layer of two classes so that the logit of live is `embedding @ weights + bias`; weights (E,).

    The layer's two outputs are minus and plus half of it.
    """
    slopes = torch.from_numpy(np.stack([-weights, weights]) / 2)
    with torch.no_grad():
        layer.weight.copy_(slopes)
        layer.bias.copy_(torch.tensor([-bias, bias], dtype=torch.float64) / 2)
