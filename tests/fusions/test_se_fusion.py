"""Squeeze-and-excitation fusion."""

from __future__ import annotations

import torch

from fas_core.contracts import BranchSize
from fas_plugins.fusions.options import SEFusionOptions
from fas_plugins.fusions.se_fusion import SEFusion

BRANCHES = (BranchSize("rgb", (16, 7, 7)), BranchSize("ir", (24, 4, 4)))


def test_each_modality_has_an_excitation_of_its_own_width() -> None:
    fusion = SEFusion(SEFusionOptions(reduction=4), BRANCHES)
    assert {name: excite.fc[0].out_features for name, excite in fusion.excite.items()} == {"rgb": 4, "ir": 6}


@torch.inference_mode()
def test_the_excitation_scales_the_maps_before_they_are_joined() -> None:
    fusion = SEFusion(SEFusionOptions(), BRANCHES).eval()
    maps = {"rgb": torch.rand(2, 16, 7, 7), "ir": torch.rand(2, 24, 4, 4)}
    expected = {name: fusion.excite[name](values) for name, values in maps.items()}
    pooled = fusion.stages(fusion.join(expected)).mean(dim=(2, 3))
    torch.testing.assert_close(fusion(maps), fusion.classifier(pooled))
    assert fusion(maps).shape == (2, 2)
