"""PipeNet: Selective Modal Pipeline of Fusion Network for Multi-Modal Face Anti-Spoofing, arXiv 2004.11744.

Its pipelines are the branches, with any backbone each; this module is the fusion that joins them.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from fas_core.contracts import BranchSize
from fas_plugins.fusions.classifier import ClassifierFusion
from fas_plugins.fusions.maps import JoinMaps
from fas_plugins.fusions.options import ClassifierOptions
from fas_plugins.fusions.residual import build_residual_stages

WIDTHS = (256, 512, 1024)


class PipeNet(ClassifierFusion):
    """Maps stacked, three residual stages, average pooling, classifier: `{modality: (B, C, h, w)}` -> (B, K).

    With three FeatherNetB branches at 224: 45,275,934 parameters. Where the last stage's map is a
    single position, as from 7 x 7, training needs batches of two or more.
    """

    def __init__(
        self, options: ClassifierOptions, branches: Sequence[BranchSize], num_classes: int = 2
    ) -> None:
        super().__init__()
        self.join = JoinMaps(branches)
        self.stages = build_residual_stages(self.join.channels, WIDTHS)
        self.add_classifier(options, WIDTHS[-1], num_classes)

    def forward_embedding(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: (B, C, h, w)}` -> (B, 1024)."""
        pooled: Tensor = self.stages(self.join(branches)).mean(dim=(2, 3))
        return pooled
