"""Fusions that end in a classifier: linear, or cosines to a direction per class."""

from __future__ import annotations

from abc import ABC, abstractmethod

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


class ClassifierFusion(nn.Module, ABC):
    """A fusion with an embedding: `{modality: tensor}` -> (B, E) -> (B, K).

    Subclasses implement `forward_embedding` and call `add_classifier` after building their other modules:
    the order of modules is that of their entries in checkpoints.
    """

    def add_classifier(self, options: ClassifierOptions, embedding_dim: int, num_classes: int) -> None:
        """Build the last layer, and set E and K."""
        self.embedding_dim = embedding_dim
        self.num_logits = num_classes
        self.classifier = build_classifier(options, embedding_dim, num_classes)

    @abstractmethod
    def forward_embedding(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: tensor}` -> (B, E), whatever the order of the mapping."""

    def forward_head(self, embedding: Tensor) -> Tensor:
        """(B, E) -> (B, K)."""
        logits: Tensor = self.classifier(embedding)
        return logits

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: tensor}` -> (B, K)."""
        return self.forward_head(self.forward_embedding(branches))
