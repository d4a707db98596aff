"""Losses over a predicted map: targets, and both losses on worked examples."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fas_core import Batch, ConfigError, Outputs
from fas_plugins.losses.maps import ContrastDepth, MapMSE, build_target_map
from fas_plugins.losses.options import ContrastDepthOptions, MapOptions


def batch(labels: list[int], **images: Tensor) -> Batch:
    label = torch.tensor(labels)
    return Batch(images=images, label=label, index=torch.arange(len(labels)))


def outputs(predicted: Tensor) -> Outputs:
    return Outputs(score=predicted.mean(dim=(1, 2)), map=predicted)


def image(values: list[list[int]]) -> Tensor:
    """One uint8 image of grey values: (1, H, W, 3)."""
    return torch.tensor(values, dtype=torch.uint8)[None, :, :, None].expand(-1, -1, -1, 3)


WHITE = torch.full((1, 12, 12, 3), 255, dtype=torch.uint8)


def test_the_mask_is_where_a_live_face_is_not_black() -> None:
    rgb = image([[0, 3, 90, 90], [0, 3, 90, 90], [0, 90, 90, 0], [0, 0, 0, 0]])
    target = build_target_map(MapOptions(), batch([1], rgb=rgb), (2, 2))
    assert target.tolist() == [[[0, 1], [0, 0]]]  # a quarter of the last two squares is face


def test_the_depth_is_averaged_and_scaled() -> None:
    depth = image([[0, 255], [255, 0]])
    given = batch([1], rgb=WHITE, depth=depth)
    assert build_target_map(MapOptions(target="depth"), given, (2, 2)).tolist() == [[[0, 1], [1, 0]]]
    assert build_target_map(MapOptions(target="depth"), given, (1, 1)).item() == pytest.approx(0.5)


@pytest.mark.parametrize("options", [MapOptions(), MapOptions(target="depth", modality="rgb")])
def test_attacks_have_an_empty_target(options: MapOptions) -> None:
    target = build_target_map(options, batch([0, 1], rgb=WHITE.expand(2, -1, -1, -1)), (3, 3))
    assert target.mean(dim=(1, 2)).tolist() == [0, 1]


def test_map_mse_by_hand() -> None:
    predicted = torch.tensor([[[0.5, 1.0], [0.0, 2.0]], [[0.5, 0.0], [0.0, 0.0]]])
    given = batch([1, 0], rgb=WHITE.expand(2, -1, -1, -1))
    # live: 1/4 + 0 + 1 + 1; attack: 1/4; over 8 positions
    assert MapMSE(MapOptions())(outputs(predicted), given).item() == pytest.approx(2.5 / 8)


def test_contrast_depth_by_hand() -> None:
    predicted = torch.zeros(1, 3, 3)
    predicted[0, 1, 1], predicted[0, 0, 0] = 1.0, 3.0
    given = batch([0], rgb=WHITE)
    # Around the only inner position: one neighbour is 3 - 1, seven are 0 - 1. The squared errors are 1 and 9.
    contrasts, squares = (4 + 7 * 1) / 8, (1 + 9) / 9
    alone = ContrastDepth(ContrastDepthOptions(mse=0))(outputs(predicted), given)
    assert alone.item() == pytest.approx(contrasts)
    both = ContrastDepth(ContrastDepthOptions())(outputs(predicted), given)
    assert both.item() == pytest.approx(contrasts + squares)


def test_contrast_depth_is_the_published_formula() -> None:
    predicted, depth = torch.rand(2, 8, 8), torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8)
    target = depth.float().mean(dim=3) / 255
    expected = torch.zeros(())
    for row in range(3):
        for column in range(3):
            kernel = torch.zeros(1, 1, 3, 3)
            kernel[0, 0, 1, 1] -= 1
            kernel[0, 0, row, column] += 1  # nothing at the centre itself
            contrast = F.conv2d(predicted[:, None], kernel) - F.conv2d(target[:, None], kernel)
            expected += contrast.square().mean() / 8
    loss = ContrastDepth(ContrastDepthOptions(target="depth", mse=0))
    torch.testing.assert_close(loss(outputs(predicted), batch([1, 1], depth=depth)), expected)


def test_a_shift_of_the_map_has_no_contrast() -> None:
    loss = ContrastDepth(ContrastDepthOptions(mse=0))
    assert loss(outputs(torch.full((1, 5, 5), 7.0)), batch([1], rgb=WHITE)).item() == pytest.approx(0)


@pytest.mark.parametrize("loss", [MapMSE(MapOptions()), ContrastDepth(ContrastDepthOptions())])
def test_gradients_reach_the_map(loss: torch.nn.Module) -> None:
    predicted = torch.rand(1, 4, 4, requires_grad=True)
    loss(outputs(predicted), batch([1], rgb=WHITE)).backward()
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()
    assert predicted.grad.any()


@pytest.mark.parametrize("loss", [MapMSE(MapOptions()), ContrastDepth(ContrastDepthOptions())])
def test_a_model_without_a_map_is_refused(loss: torch.nn.Module) -> None:
    with pytest.raises(ConfigError, match=r"needs a predicted map.*cdcn"):
        loss(Outputs(score=torch.zeros(1), logits=torch.zeros(1, 2)), batch([1], rgb=WHITE))


def test_a_modality_that_is_not_read_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"modality 'depth', which is not in the batch \(rgb\)"):
        MapMSE(MapOptions(target="depth"))(outputs(torch.zeros(1, 2, 2)), batch([1], rgb=WHITE))


def test_a_map_too_small_for_contrasts_is_refused() -> None:
    with pytest.raises(ConfigError, match="3 x 3 or more"):
        ContrastDepth(ContrastDepthOptions())(outputs(torch.zeros(1, 2, 2)), batch([1], rgb=WHITE))
