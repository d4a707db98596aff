"""The fusion of exactly one modality."""

from __future__ import annotations

import pytest
import torch

from fas_core import ConfigError, NoOptions
from fas_core.contracts import BranchSize
from fas_plugins.fusions.single import Single

RGB = BranchSize("rgb", (64, 2, 2), 64, 64)


def test_it_returns_the_only_branchs_logits() -> None:
    fusion = Single(NoOptions(), branches=(RGB,))
    logits = torch.randn(3, 64)
    assert fusion({"rgb": logits}) is logits
    assert fusion.num_logits == 64
    assert not list(fusion.parameters())


def test_several_modalities_are_refused() -> None:
    depth = BranchSize("depth", (64, 2, 2), 64, 64)
    with pytest.raises(ConfigError, match=r"takes one modality, not 2 \(rgb, depth\).*concat_linear"):
        Single(NoOptions(), branches=(RGB, depth))


def test_no_modality_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes one modality, not 0"):
        Single(NoOptions(), branches=())
