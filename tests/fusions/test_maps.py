"""How maps of different sizes are joined."""

from __future__ import annotations

import torch

from fas_core.contracts import BranchSize
from fas_plugins.fusions.maps import JoinMaps


def test_maps_of_one_size_are_stacked_in_the_order_of_the_branches() -> None:
    join = JoinMaps([BranchSize("rgb", (2, 3, 3)), BranchSize("ir", (1, 3, 3))])
    rgb, ir = torch.randn(4, 2, 3, 3), torch.randn(4, 1, 3, 3)
    assert join.channels == 3
    assert torch.equal(join({"ir": ir, "rgb": rgb}), torch.cat([rgb, ir], dim=1))


def test_larger_maps_are_averaged_down_to_the_smallest() -> None:
    join = JoinMaps([BranchSize("rgb", (1, 2, 2)), BranchSize("depth", (1, 4, 4))])
    rgb, depth = torch.zeros(1, 1, 2, 2), torch.arange(16.0).view(1, 1, 4, 4)
    joined = join({"rgb": rgb, "depth": depth})
    assert joined[0, 1].tolist() == [[(0 + 1 + 4 + 5) / 4, (2 + 3 + 6 + 7) / 4], [10.5, 12.5]]
    assert torch.equal(joined[:, :1], rgb)


def test_height_and_width_are_each_the_least() -> None:
    join = JoinMaps([BranchSize("rgb", (1, 2, 6)), BranchSize("depth", (1, 4, 3))])
    joined = join({"rgb": torch.ones(1, 1, 2, 6), "depth": torch.ones(1, 1, 4, 3)})
    assert torch.equal(joined, torch.ones(1, 2, 2, 3))
