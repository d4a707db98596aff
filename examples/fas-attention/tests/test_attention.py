"""The contract check, the fusion against the paper's formula, and what missing modalities do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fas_attention.fusion import Attention
from fas_attention.options import AttentionOptions
from fas_core import BranchSize
from fas_core.testing import check_fusion

SIZES = {"rgb": 6, "depth": 4, "ir": 3}


@pytest.fixture
def fusion() -> Attention:
    torch.manual_seed(14)
    branches = [BranchSize(name, (8, 2, 2), size) for name, size in SIZES.items()]
    return Attention(AttentionOptions(width=5, hidden=7), branches).eval()


def draw_embeddings(seed: int = 14) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(2, size, generator=generator) for name, size in SIZES.items()}


@pytest.mark.parametrize("modalities", [("rgb",), ("rgb", "depth"), ("rgb", "depth", "ir")])
def test_contract(modalities: tuple[str, ...]) -> None:
    check_fusion("attention", modalities=modalities)


def test_the_embedding_is_the_paper_s_formula(fusion: Attention) -> None:
    """Equations 7 and 8: z = sum a_k h_k, where a = softmax(w^T tanh(V h_k))."""
    branches = draw_embeddings()
    first, _, last = fusion.importance
    h = [fusion.projections[name](branches[name]) for name in SIZES]
    scores = [(torch.tanh(x @ first.weight.T + first.bias) @ last.weight.T + last.bias).exp() for x in h]
    expected = sum(score * x for score, x in zip(scores, h, strict=True)) / sum(scores)
    torch.testing.assert_close(fusion.forward_embedding(branches), expected)


def test_a_missing_modality_does_not_count(fusion: Attention) -> None:
    presence = {"rgb": torch.tensor([True, True]), "depth": torch.tensor([True, False])}
    presence["ir"] = torch.tensor([True, False])
    branches, others = draw_embeddings(), draw_embeddings(seed=15)
    embedding = fusion.forward_embedding(branches, presence)
    changed = {name: torch.where(presence[name][:, None], branches[name], others[name]) for name in SIZES}
    torch.testing.assert_close(fusion.forward_embedding(changed, presence), embedding)
    torch.testing.assert_close(embedding[0], fusion.forward_embedding(branches)[0])
    torch.testing.assert_close(embedding[1], fusion.projections["rgb"](branches["rgb"])[1])


@pytest.mark.parametrize("option", [{"width": 0}, {"hidden": 0}, {"dropout": 1.0}])
def test_options_that_are_out_of_range_are_refused(option: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        AttentionOptions(**option)
