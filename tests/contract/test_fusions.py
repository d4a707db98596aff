"""The contract of every registered fusion: `fas_core.contracts.FusionModule`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from fas_core import Fusion
from fas_core.contracts import BranchSize
from fas_core.registry import registry

FUSIONS = {item.name: cast(Fusion, item) for item in registry().all(Fusion)}
MODALITIES = ("rgb", "depth", "ir", "thermal")
BATCH = 2


@pytest.fixture(params=FUSIONS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(14)
        yield


def list_equal_branches(count: int) -> tuple[BranchSize, ...]:
    """`count` branches of one backbone."""
    return tuple(BranchSize(modality, (16, 7, 7), 24, 24) for modality in MODALITIES[:count])


def list_different_branches(count: int) -> tuple[BranchSize, ...]:
    """`count` branches of as many backbones."""
    return tuple(
        BranchSize(modality, (16 + 4 * i, 7 - i, 7 - i), 24 + 8 * i, 2 + 3 * i)
        for i, modality in enumerate(MODALITIES[:count])
    )


def build_inputs(name: str, branches: tuple[BranchSize, ...]) -> dict[str, Tensor]:
    """Return a random input of the fusion for each branch."""

    def get_shape(branch: BranchSize) -> tuple[int, ...]:
        if FUSIONS[name].takes == "embeddings":
            return (cast(int, branch.embedding),)
        return (cast(int, branch.logits),) if FUSIONS[name].takes == "logits" else branch.map

    return {branch.modality: torch.randn(BATCH, *get_shape(branch)) for branch in branches}


def build(name: str, branches: tuple[BranchSize, ...]) -> nn.Module:
    fusion = FUSIONS[name].load()(FUSIONS[name].options(), branches=branches, num_classes=2)
    assert isinstance(fusion, nn.Module)
    return fusion


def list_branches(name: str) -> list[tuple[BranchSize, ...]]:
    """Return tuples of one to four branches that the fusion takes, of one backbone or of several."""
    if name == "single":
        return [list_equal_branches(1)]
    if FUSIONS[name].takes == "inputs":
        return [tuple(BranchSize(m, (3, 32, 32)) for m in MODALITIES[:count]) for count in (1, 2, 3, 4)]
    return [
        list_equal_branches(1),
        list_different_branches(2),
        list_equal_branches(3),
        list_different_branches(4),
    ]


def find_largest(name: str) -> tuple[BranchSize, ...]:
    return list_branches(name)[-1]


@torch.inference_mode()
def test_shapes(name: str) -> None:
    for branches in list_branches(name):
        fusion = build(name, branches).eval()
        joined = fusion(build_inputs(name, branches))
        if FUSIONS[name].takes == "inputs":
            assert joined.shape == (BATCH, fusion.out_channels, 32, 32)
        else:
            assert joined.shape == (BATCH, fusion.num_logits)
        assert joined.isfinite().all()


@torch.inference_mode()
def test_the_order_of_the_mapping_does_not_matter(name: str) -> None:
    fusion, inputs = build(name, find_largest(name)).eval(), build_inputs(name, find_largest(name))
    assert torch.equal(fusion(inputs), fusion(dict(reversed(inputs.items()))))


def test_gradients_reach_every_parameter_and_every_branch(name: str) -> None:
    fusion = build(name, find_largest(name)).train()
    with torch.no_grad():
        for parameter_name, parameter in fusion.named_parameters():
            if parameter_name.endswith("bias"):
                parameter.uniform_(0.1, 1)  # above zero, so that no ReLU happens to be dead
    inputs = {
        modality: value.requires_grad_() for modality, value in build_inputs(name, find_largest(name)).items()
    }
    fusion(inputs).square().sum().backward()
    reached = {**dict(fusion.named_parameters()), **inputs}
    assert not [key for key, value in reached.items() if value.grad is None or not value.grad.any()]


@torch.inference_mode()
def test_a_state_dict_is_the_whole_state(name: str) -> None:
    branches = find_largest(name)
    first, second, inputs = build(name, branches), build(name, branches).eval(), build_inputs(name, branches)
    first.train()(inputs)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.eval()(inputs), second(inputs))


@torch.no_grad()
def test_it_exports_with_any_batch_size(name: str) -> None:
    branches = find_largest(name)
    fusion, inputs = build(name, branches).eval(), build_inputs(name, branches)
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(
        fusion, (inputs,), dynamic_shapes=({modality: {0: batch} for modality in inputs},)
    )
    more = {modality: torch.cat([value, value[:1]]) for modality, value in inputs.items()}
    torch.testing.assert_close(program.module()(more), fusion(more), rtol=1e-4, atol=1e-5)
