"""Fusion by two central difference convolutions (arXiv 2003.04092), as in the multi-modal FeatherNet."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from fas_core.contracts import BranchSize
from fas_plugins.backbones.central_difference import build_difference_layers
from fas_plugins.fusions.classifier import ClassifierFusion
from fas_plugins.fusions.maps import JoinMaps
from fas_plugins.fusions.options import CDCNFusionOptions

WIDTHS = (256, 1024)


class CDCNFusion(ClassifierFusion):
    """Maps stacked, two convolutions, average pooling, classifier: `{modality: (B, C, h, w)}` -> (B, K).

    With three FeatherNetB branches at 224: 3,858,206 parameters.
    """

    def __init__(
        self, options: CDCNFusionOptions, branches: Sequence[BranchSize], num_classes: int = 2
    ) -> None:
        super().__init__()
        self.join = JoinMaps(branches)
        self.layers = nn.Sequential(*build_difference_layers((self.join.channels, *WIDTHS), options.theta))
        self.add_classifier(options, WIDTHS[-1], num_classes)

    def forward_embedding(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: (B, C, h, w)}` -> (B, 1024)."""
        pooled: Tensor = self.layers(self.join(branches)).mean(dim=(2, 3))
        return pooled
