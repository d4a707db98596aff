"""Grad-CAM: where on a backbone's last map there is evidence for live.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization"
(arXiv 1610.02391).
"""

from __future__ import annotations

import torch
from torch import Tensor

from fas_core.errors import ModelError
from fas_core.models.model import Model


def evidence(logits: Tensor) -> Tensor:
    """(B, K) -> (B,) the evidence for live, of which Grad-CAM takes the gradient.

    Of classifiers it is the log-odds of the score, `logits[1] - logsumexp(the other logits)`; with two
    classes that is the difference of the logits. Unlike the score it does not level off where the model is
    sure. Of a network that predicts a map (K = 1) it is the score itself.
    """
    if logits.shape[1] == 1:
        return logits[:, 0]
    others = torch.cat([logits[:, :1], logits[:, 2:]], dim=1)
    return logits[:, 1] - others.logsumexp(dim=1)


def grad_cam(model: Model, images: dict[str, Tensor], presence: Tensor | None = None) -> dict[str, Tensor]:
    """The paper's map of every modality: relu(sum over channels of mean gradient times activation).

    Args:
        model: in eval mode, so that samples do not see each other.
        images: `{modality: uint8 (B, H, W, 3)}`.
        presence: (B, modalities) bool, False where one is missing; None: none is.

    Returns:
        `{modality: (B, h, w)}`, at least 0; h and w are those of the modality's backbone, or, where patches
        are judged, of the face, on which their maps lie. Under a fusion of inputs there is one backbone, and
        its map is every modality's.

    Raises:
        ModelError: a backbone saw something else than each of its inputs once: its maps lie nowhere.
    """
    with torch.enable_grad():
        outputs = model(images, presence)
        assert outputs.logits is not None  # every model has them
        features = dict(outputs.features)
        gradients = torch.autograd.grad(
            evidence(outputs.logits).sum(), list(features.values()), materialize_grads=True
        )
    maps = {
        name: _weighted(activation.detach(), gradient)
        for (name, activation), gradient in zip(features.items(), gradients, strict=True)
    }
    count = len(outputs.logits) * (1 if model.patches is None else len(model.patches.corners))
    if apart := [name for name, found in maps.items() if len(found) != count]:
        raise ModelError(
            f"{apart[0]!r} backbone: {len(maps[apart[0]])} maps of {count} inputs: no Grad-CAM of them"
        )
    if model.patches is not None:
        maps = {name: model.patches.assemble(found) for name, found in maps.items()}
    return {name: maps["shared" if model.takes == "inputs" else name] for name in model.modalities}


def _weighted(activation: Tensor, gradient: Tensor) -> Tensor:
    """(B, C, h, w) twice -> (B, h, w)."""
    weights = gradient.mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
    return (weights * activation).sum(dim=1).relu()
