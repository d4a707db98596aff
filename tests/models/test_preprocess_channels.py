"""Preprocessing in the network's order of channels."""

from __future__ import annotations

import torch

from fas_core.config.recipe import Normalize
from fas_core.models.model import Preprocess


def test_a_network_of_blue_green_red_gets_its_channels_so() -> None:
    pixels = torch.tensor([10, 20, 30], dtype=torch.uint8).reshape(1, 1, 1, 3)
    mean, std = (0.0, 0.1, 0.2), (1 / 255, 0.5, 0.25)
    planes = Preprocess(Normalize(mean, std, "bgr"))(pixels).flatten()
    expected = [(30 / 255 - 0.2) / 0.25, (20 / 255 - 0.1) / 0.5, 10.0]
    torch.testing.assert_close(planes, torch.tensor(expected))
