"""PipeNet: Selective Modal Pipeline of Fusion Network for Multi-Modal Face Anti-Spoofing, arXiv 2004.11744.

Its pipelines are the branches, any backbone each; here is what joins them.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from fas_core.contracts import BranchSize
from fas_plugins.fusions.classifier import classifier
from fas_plugins.fusions.maps import JoinMaps
from fas_plugins.fusions.options import ClassifierOptions
from fas_plugins.fusions.residual import residual_stages

WIDTHS = (256, 512, 1024)


class PipeNet(nn.Module):
    """Maps stacked, three residual stages, average pooling, classifier: `{modality: (B, C, h, w)}` -> (B, K).

    With three FeatherNetB branches at 224: 45,275,934 parameters. Training needs batches of more than one
    where the last stage's map is a single place, as from 7 x 7.
    """

    def __init__(
        self, options: ClassifierOptions, branches: Sequence[BranchSize], num_classes: int = 2
    ) -> None:
        super().__init__()
        self.num_logits = num_classes
        self.join = JoinMaps(branches)
        self.stages = residual_stages(self.join.channels, WIDTHS)
        self.classifier = classifier(options, WIDTHS[-1], num_classes)

    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: (B, C, h, w)}` -> (B, K)."""
        pooled = self.stages(self.join(branches)).mean(dim=(2, 3))  # (B, 1024)
        logits: Tensor = self.classifier(pooled)
        return logits
