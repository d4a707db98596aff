"""The published fusions over three FeatherNetB branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from fas_core import Fusion
from fas_core.contracts import BranchSize
from fas_core.testing import find_component
from fas_plugins.backbones.feathernet import FeatherNetB
from fas_plugins.backbones.options import FeatherNetOptions

MODALITIES = ("rgb", "depth", "ir")
BRANCHES = tuple(BranchSize(modality, (64, 7, 7), 1024) for modality in MODALITIES)


class ThreeBranches(nn.Module):
    """FeatherNetB per modality, as far as the fusion needs it, and the fusion."""

    def __init__(self, name: str) -> None:
        super().__init__()
        fusion = find_component(Fusion, name)
        self.backbones = nn.ModuleDict(
            {modality: FeatherNetB(FeatherNetOptions(), until=fusion.takes) for modality in MODALITIES}
        )
        self.fusion = fusion.load()(fusion.options(), branches=BRANCHES)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fusion({name: branch(x) for name, branch in self.backbones.items()})
        return logits


@torch.inference_mode()
def count_published_flops(network: nn.Module) -> int:
    """Count FLOPs as the published tables do, at batch 1: see tests/parity/README.md, "Cost convention"."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += output.numel() * (module.in_features + 1)
        elif isinstance(module, nn.BatchNorm2d | nn.ReLU):
            total += inputs[0].numel()
        elif isinstance(module, nn.AvgPool2d):
            total += output.numel() * cast(int, module.kernel_size) ** 2

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    network.eval()(torch.zeros(1, 3, 224, 224))
    for hook in hooks:
        hook.remove()
    return total


@pytest.fixture(scope="session")
def build_branches() -> Callable[[str], nn.Module]:
    """`build_branches(fusion)`: three FeatherNetB branches and the fusion, at 224."""
    return ThreeBranches


@pytest.fixture(scope="session")
def count_flops() -> Callable[[nn.Module], int]:
    """`count_flops(network)`: FLOPs as the published tables count them."""
    return count_published_flops
