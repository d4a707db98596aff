"""Grad-CAM, by hand and by finite differences of the evidence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fas_core import ModelError
from fas_core.config.recipe import Normalize
from fas_core.models.grad_cam import evidence, grad_cam
from fas_core.models.model import Model, PatchGrid, Preprocess

SIDE = 4
PLAIN = Normalize(mean=(0, 0, 0), std=(1, 1, 1))


class Tiny(nn.Module):
    """Map: red and green of each 2 x 2 pixels; embedding: their means; logits: a given linear layer."""

    num_features, embedding_dim, num_logits, reduction = 2, 2, 2, 2

    def __init__(self, head: Tensor) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 2, stride=2, bias=False)
        self.linear = nn.Linear(2, len(head), bias=False)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[0, 0] = self.conv.weight[1, 1] = 0.25
            self.linear.weight.copy_(head)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.conv(x)

    def forward_embedding(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        return self.linear(x)


class Only(nn.Module):
    def forward(self, branches: dict[str, Tensor]) -> Tensor:
        (only,) = branches.values()
        return only


def tiny(head: list[list[float]], backbone: type[Tiny] = Tiny) -> Model:
    return Model(
        {"rgb": Preprocess(PLAIN)}, {"rgb": backbone(torch.tensor(head))}, Only(), "logits", SIDE
    ).eval()


def face() -> Tensor:
    """Red 255 in the upper left quarter, green 255 in the lower right one, both in the upper right one."""
    pixels = torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8)
    pixels[0, :2, :, 0] = 255
    pixels[0, :, 2:, 1] = 255
    return pixels


def test_by_hand() -> None:
    """Live minus attack is 3 red - 1 green; each of the four positions has a quarter of its gradient."""
    (found,) = grad_cam(tiny([[-1, 2], [2, 1]]), {"rgb": face()})["rgb"]
    torch.testing.assert_close(found, torch.tensor([[3 / 4, 2 / 4], [0, 0]]))


def test_the_map_shows_evidence_for_live_also_where_the_face_is_rejected() -> None:
    (found,) = grad_cam(tiny([[2, 1], [-1, 2]]), {"rgb": face()})["rgb"]
    torch.testing.assert_close(found, torch.tensor([[0, 0], [0, 1 / 4]]))


def test_a_network_of_one_output_is_explained_by_it() -> None:
    (found,) = grad_cam(tiny([[2.0, -1.0]]), {"rgb": face()})["rgb"]
    torch.testing.assert_close(found, torch.tensor([[2 / 4, 1 / 4], [0, 0]]))


def test_faces_of_a_batch_have_independent_maps() -> None:
    model, turned = tiny([[-1, 2], [2, 1]]), face().flip(2)
    (first, second) = grad_cam(model, {"rgb": torch.cat([face(), turned])})["rgb"]
    torch.testing.assert_close(second, first.flip(1))


def test_evidence_is_the_log_odds_of_the_score() -> None:
    logits = torch.randn(5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(evidence(logits), torch.logit(logits.softmax(dim=1)[:, 1]))
    torch.testing.assert_close(evidence(logits[:, :2]), logits[:, 1] - logits[:, 0])
    torch.testing.assert_close(evidence(logits[:, :1]), logits[:, 0])
    sure = torch.tensor([[-500.0, 500.0]])
    assert evidence(sure).item() == 1000, "where the score is 1 and has no gradient"


class Twice(Tiny):
    """Looks at each face and at its mirror image."""

    def forward_features(self, x: Tensor) -> Tensor:
        return self.conv(torch.cat([x, x.flip(3)]))

    def forward_embedding(self, x: Tensor) -> Tensor:
        return super().forward_embedding(x).unflatten(0, (2, -1)).mean(dim=0)


def test_maps_that_do_not_correspond_to_the_faces_are_refused() -> None:
    with pytest.raises(ModelError, match="'rgb' backbone: 2 maps of 1 inputs: no Grad-CAM"):
        grad_cam(tiny([[-1, 2], [2, 1]], Twice), {"rgb": face()})


def test_maps_of_patches_are_at_the_position_of_their_patches() -> None:
    whole = tiny([[-1, 2], [2, 1]])
    patched = tiny([[-1, 2], [2, 1]])
    patched.patches = PatchGrid(2, SIDE, 2 * SIDE)
    big = torch.randint(0, 256, (2, 2 * SIDE, 2 * SIDE, 3), dtype=torch.uint8)
    found = grad_cam(patched, {"rgb": big})["rgb"]
    assert found.shape == (2, 2 * SIDE, 2 * SIDE)
    for top in (0, SIDE):
        for left in (0, SIDE):
            patch = big[:, top : top + SIDE, left : left + SIDE]
            alone = grad_cam(whole, {"rgb": patch})["rgb"]
            grown = nn.functional.interpolate(alone[:, None], (SIDE, SIDE), mode="bilinear")[:, 0]
            # The evidence is the mean over four patches, so each has a quarter of its own.
            torch.testing.assert_close(found[:, top : top + SIDE, left : left + SIDE], grown / 4)


def test_where_patches_overlap_their_maps_are_averaged() -> None:
    grid = PatchGrid(3, 4, 8)
    maps = torch.arange(9.0).repeat(2)[:, None, None].expand(18, 2, 2)
    placed = grid.assemble(maps)
    assert placed.shape == (2, 8, 8)
    assert placed[0, 0, 0] == 0
    assert placed[1, 7, 7] == 8
    assert placed[0, 0, 2] == 0.5  # the first and the second
    assert placed[0, 3, 3] == 2.0  # 0, 1, 3 and 4
