"""Grad-CAM: which regions of a backbone's last feature map speak for live.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization"
(arXiv 1610.02391).
"""

from __future__ import annotations

import torch
from torch import Tensor

from fas_core.errors import ModelError
from fas_core.models.model import SHARED, Model


def evidence(logits: Tensor) -> Tensor:
    """Return the evidence for live, (B, K) -> (B,), of which Grad-CAM takes the gradient.

    For classifiers it is the log-odds of the score, `logits[1] - logsumexp(the other logits)`: with two
    classes, the difference of the logits. Unlike the score, it does not saturate where the model is certain.
    For a network that predicts a map it is the score itself, which is the one column then.
    """
    if logits.shape[1] == 1:
        return logits[:, 0]
    others = torch.cat([logits[:, :1], logits[:, 2:]], dim=1)
    return logits[:, 1] - others.logsumexp(dim=1)


def grad_cam(model: Model, images: dict[str, Tensor], presence: Tensor | None = None) -> dict[str, Tensor]:
    """Return a heat map of each modality: relu(sum over channels of mean gradient x activation), eq. 1 and 2.

    `images` and `presence` are as `Model` takes them; the model is in eval mode, so that the samples of a
    batch do not influence each other.

    Returns:
        `{modality: (B, h, w)}`, values >= 0. h and w are the size of the backbone's feature map; for a model
        that scores patches, they are the size of the face. Under a fusion of inputs every modality has the
        map of the one backbone.

    Raises:
        ModelError: a backbone's feature maps do not correspond to its inputs one to one, or are computed
            without gradients, as by comparisons.
    """
    with torch.enable_grad():
        outputs = model(images, presence)
        features = dict(outputs.features)
        for name, activation in features.items():
            if not activation.requires_grad:
                raise ModelError(f"{name!r} backbone: its features have no gradients: no Grad-CAM of them")
        total = evidence(outputs.score[:, None] if outputs.logits is None else outputs.logits).sum()
        gradients = torch.autograd.grad(total, list(features.values()), materialize_grads=True)
    patches, maps = model.patches, {}
    count = len(outputs.score) * (1 if patches is None else len(patches.corners))
    for (name, activation), gradient in zip(features.items(), gradients, strict=True):
        weights = gradient.mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
        heat = (weights * activation.detach()).sum(dim=1).relu()
        if len(heat) != count:
            raise ModelError(f"{name!r} backbone: {len(heat)} maps of {count} inputs: no Grad-CAM of them")
        maps[name] = heat if patches is None else patches.assemble(heat)
    return {name: maps[SHARED if model.takes == "inputs" else name] for name in model.modalities}
