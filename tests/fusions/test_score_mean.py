"""Late fusion."""

from __future__ import annotations

import torch

from fas_core import NoOptions
from fas_core.contracts import BranchSize
from fas_plugins.fusions.score_mean import ScoreMean


def branch(modality: str, logits: int) -> BranchSize:
    return BranchSize(modality, (64, 7, 7), 1024, logits)


def test_the_score_is_the_mean_of_the_branches_probabilities() -> None:
    fusion = ScoreMean(NoOptions(), branches=(branch("rgb", 2), branch("depth", 1024), branch("ir", 5)))
    logits_by_modality = {
        "rgb": torch.randn(4, 2),
        "depth": 5 * torch.randn(4, 1024),
        "ir": torch.randn(4, 5),
    }
    expected = torch.stack([logits.softmax(dim=1)[:, 1] for logits in logits_by_modality.values()]).mean(
        dim=0
    )
    logits = fusion(logits_by_modality)
    assert logits.shape == (4, 2)
    torch.testing.assert_close(logits.softmax(dim=1)[:, 1], expected)
    torch.testing.assert_close(logits.exp().sum(dim=1), torch.ones(4))


def test_one_branch_keeps_its_score() -> None:
    fusion, logits = ScoreMean(NoOptions(), branches=(branch("rgb", 2),)), torch.randn(3, 2)
    torch.testing.assert_close(fusion({"rgb": logits}).softmax(dim=1), logits.softmax(dim=1))


def test_extreme_logits_stay_finite() -> None:
    fusion = ScoreMean(NoOptions(), branches=(branch("rgb", 2), branch("ir", 2)))
    logits_by_modality = {"rgb": torch.tensor([[-1e4, 1e4]]), "ir": torch.tensor([[-1e4, 1e4]])}
    assert fusion(logits_by_modality).isfinite().all()


def test_predicted_maps_give_their_scores_unclipped() -> None:
    fusion = ScoreMean(NoOptions(), branches=(branch("rgb", 1), branch("ir", 2)))
    scores = fusion({"rgb": torch.tensor([[3.0]]), "ir": torch.tensor([[0.0, 0.0]])})
    assert scores.tolist() == [[(3.0 + 0.5) / 2]]
    assert fusion.num_logits == 1


def test_absent_modalities_do_not_count() -> None:
    presence = {"rgb": torch.tensor([True, True]), "ir": torch.tensor([False, True])}
    logits = {"rgb": torch.randn(2, 2), "ir": torch.randn(2, 2)}
    live = {name: values.softmax(dim=1)[:, 1] for name, values in logits.items()}
    fusion = ScoreMean(NoOptions(), branches=(branch("rgb", 2), branch("ir", 2)))
    scores = fusion(logits, presence).softmax(dim=1)[:, 1]
    torch.testing.assert_close(scores, torch.stack([live["rgb"][0], (live["rgb"][1] + live["ir"][1]) / 2]))

    maps = ScoreMean(NoOptions(), branches=(branch("rgb", 1), branch("ir", 1)))
    scores = maps({"rgb": torch.tensor([[3.0], [3.0]]), "ir": torch.tensor([[9.0], [5.0]])}, presence)
    assert scores.tolist() == [[3.0], [4.0]]
