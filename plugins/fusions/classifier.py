"""The last layer of a fusion: linear, or cosines to a direction per class."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_plugins.fusions.options import ClassifierOptions


class CosineClassifier(nn.Module):
    """(B, E) -> (B, K): `scale` times the cosine to each class's weights.

    NormFace: L2 Hypersphere Embedding for Face Verification, arXiv 1704.06369.
    """

    def __init__(self, in_features: int, num_classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(num_classes, in_features))
        nn.init.normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * F.linear(F.normalize(x), F.normalize(self.weight))


def build_classifier(options: ClassifierOptions, in_features: int, num_classes: int) -> nn.Module:
    """Return the layer that the options select: (B, in_features) -> (B, num_classes)."""
    if options.classifier == "cosine":
        return CosineClassifier(in_features, num_classes, options.scale)
    return nn.Linear(in_features, num_classes)
