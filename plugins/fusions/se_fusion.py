"""Squeeze-and-excitation fusion, the CASIA-SURF baseline.

A Dataset and Benchmark for Large-scale Multi-modal Face Anti-spoofing, arXiv 1812.00408: each modality's
channels are re-weighted by squeeze and excitation (arXiv 1709.01507) before they are stacked, and the last
two stages of a ResNet-18 follow. In the paper the branches are
its first three stages; here they are any backbones.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from fas_core.contracts import BranchSize
from fas_plugins.backbones.blocks import SqueezeExcite
from fas_plugins.fusions.classifier import ClassifierFusion
from fas_plugins.fusions.maps import JoinMaps
from fas_plugins.fusions.options import SEFusionOptions
from fas_plugins.fusions.residual import build_residual_stages

WIDTHS = (256, 512)


class SEFusion(ClassifierFusion):
    """`{modality: (B, C, h, w)}` -> (B, K)."""

    def __init__(
        self, options: SEFusionOptions, branches: Sequence[BranchSize], num_classes: int = 2
    ) -> None:
        super().__init__()
        self.excite = nn.ModuleDict(
            {branch.modality: SqueezeExcite(branch.map[0], options.reduction) for branch in branches}
        )
        self.join = JoinMaps(branches)
        self.stages = build_residual_stages(self.join.channels, WIDTHS)
        self.add_classifier(options, WIDTHS[-1], num_classes)

    def forward_embedding(self, branches: dict[str, Tensor]) -> Tensor:
        """`{modality: (B, C, h, w)}` -> (B, 512)."""
        scaled = {modality: excite(branches[modality]) for modality, excite in self.excite.items()}
        pooled: Tensor = self.stages(self.join(scaled)).mean(dim=(2, 3))
        return pooled
