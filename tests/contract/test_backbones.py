"""The contract of every registered backbone: `fas_core.contracts.BackboneModule`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache, lru_cache
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from fas_core import Backbone, ConfigError
from fas_core.contracts import BackboneModule
from fas_core.registry import registry

BACKBONES = {item.name: cast(Backbone, item) for item in registry().all(Backbone)}
CANDIDATE_SIZES = (64, 96, 128, 160, 224, 256)
BOTH = pytest.mark.parametrize(("which", "batch"), [(0, 1), (1, 3)], ids=["smallest-1", "next-3"])
"""Two sizes, and batches of one and of three."""

FIRST_BY_BLOCKS = {re.sub(r"\d+", "", name): name for name in reversed(BACKBONES)}
"""A backbone of each kind of blocks: without the others, which differ in the number of their layers alone."""


@pytest.fixture(params=BACKBONES, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(14)
        yield


def build(name: str, **settings: Any) -> nn.Module:
    """Return a new network, by default at the smallest size; that one is copied, as building takes longer."""
    if not settings:
        return deepcopy(build_original(name, find_sizes(name)[0]))
    backbone = BACKBONES[name]
    network = backbone.load()(backbone.options(), **{"input_size": find_sizes(name)[0]} | settings)
    assert isinstance(network, nn.Module)
    return network


def build_at(name: str, which: int, batch: int) -> tuple[nn.Module, Tensor]:
    """Return a new network of one of the two sizes, and an input."""
    size = find_sizes(name)[which]
    return deepcopy(build_original(name, size)), torch.randn(batch, 3, size, size)


@lru_cache(maxsize=2)  # the tests of one backbone follow each other
def build_original(name: str, size: int) -> nn.Module:
    return build(name, input_size=size)


@cache
def find_sizes(name: str) -> tuple[int, int]:
    """Return the two smallest of the candidate sizes that the backbone takes."""
    backbone, possible = BACKBONES[name], []
    for size in CANDIDATE_SIZES:
        try:
            backbone.load()(backbone.options(), input_size=size, until="maps")
        except ConfigError:
            continue
        possible.append(size)
        if len(possible) == 2:
            return possible[0], possible[1]
    raise AssertionError(f"{name}: takes fewer than two of {CANDIDATE_SIZES}")


def run_stages(network: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    backbone = cast(BackboneModule, network)
    features = backbone.forward_features(x)
    embedding = backbone.forward_embedding(features)
    return features, embedding, backbone.forward_head(embedding)


@pytest.mark.parametrize("which", [0, 1])
@torch.inference_mode()
def test_shapes(name: str, which: int) -> None:
    size = find_sizes(name)[which]
    network = build(name, input_size=size).eval()
    backbone = cast(BackboneModule, network)
    side = size // backbone.reduction
    for batch in (1, 3):
        features, embedding, logits = run_stages(network, torch.randn(batch, 3, size, size))
        assert features.shape == (batch, backbone.num_features, side, side)
        assert embedding.shape == (batch, backbone.embedding_dim)
        assert logits.shape == (batch, backbone.num_logits)
        assert logits.isfinite().all()


@BOTH
def test_gradients_reach_every_parameter(name: str, which: int, batch: int) -> None:
    network, x = build_at(name, which, batch)
    network.train()
    with torch.no_grad():
        for parameter_name, parameter in network.named_parameters():
            if parameter_name.endswith("bias"):
                parameter.uniform_(0.1, 1)  # above zero, so that no ReLU happens to be dead
    _, _, logits = run_stages(network, x)
    logits.square().sum().backward()
    unreached = [
        parameter_name
        for parameter_name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert not unreached


@BOTH
def test_training_updates_batch_statistics_and_evaluation_does_not(name: str, which: int, batch: int) -> None:
    network, x = build_at(name, which, batch)

    def buffers() -> dict[str, Tensor]:
        return {key: value.clone() for key, value in network.named_buffers() if key in saved}

    saved = network.state_dict().keys()  # others are constants

    before = buffers()
    with torch.no_grad():
        network.eval()(x)
        assert all(torch.equal(value, before[key]) for key, value in buffers().items())
        network.train()(x)
    unchanged = [key for key, value in buffers().items() if torch.equal(value, before[key])]
    assert not unchanged


@torch.inference_mode()
def test_samples_do_not_affect_each_other_in_evaluation(name: str) -> None:
    network, x = build(name).eval(), torch.randn(3, 3, *find_sizes(name)[:1] * 2)
    single = torch.cat([network(sample[None]) for sample in x])
    torch.testing.assert_close(network(x), single, rtol=1e-4, atol=1e-5)


@BOTH
@torch.inference_mode()
def test_channels_last_agrees_with_contiguous(name: str, which: int, batch: int) -> None:
    network, x = build_at(name, which, batch)
    expected = run_stages(network.eval(), x)
    last = cast(nn.Module, network.to(memory_format=torch.channels_last))  # type: ignore[call-overload]
    got = run_stages(last, x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4 * float(expected[2].abs().max() + 1))


@BOTH
@torch.inference_mode()
def test_a_state_dict_is_the_whole_state(name: str, which: int, batch: int) -> None:
    first, x = build_at(name, which, batch)
    second = build(name, input_size=find_sizes(name)[which]).eval()
    first.train()(x)  # so that the batch statistics are not the initial ones
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.eval()(x), second(x))


def test_stages_after_the_last_are_not_built(name: str) -> None:
    network, x = build(name).eval(), torch.randn(1, 3, *find_sizes(name)[:1] * 2)
    whole, last = network.state_dict(), set[str]()
    for until, expected in zip(("maps", "embeddings", "logits"), run_stages(network, x), strict=True):
        built = build(name, until=until).eval()
        names = built.state_dict().keys()
        assert last <= names <= whole.keys()
        built.load_state_dict({key: whole[key] for key in names})
        torch.testing.assert_close(built(x), expected)
        last = set(names)
    assert last == whole.keys()


@pytest.mark.parametrize("channels", [1, 9])
@torch.inference_mode()
def test_other_numbers_of_input_channels(name: str, channels: int) -> None:
    network = build(name, in_channels=channels).eval()
    assert len(network(torch.randn(2, channels, *find_sizes(name)[:1] * 2))) == 2


def test_impossible_sizes_are_refused_and_the_suggested_ones_work(name: str) -> None:
    with pytest.raises(ConfigError, match="use") as caught:
        build(name, input_size=find_sizes(name)[1] + 1)
    nearest = [int(size) for size in re.findall(r"\d+", str(caught.value).partition(": use ")[2])]
    assert nearest
    for size in nearest:
        build(name, input_size=size, until="maps")


def test_published_names_are_one_for_each_entry(name: str) -> None:
    network = build(name)
    published_name = getattr(network, "published_name", str)
    names = [name for entry in network.state_dict() if (name := published_name(entry))]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", FIRST_BY_BLOCKS.values())
def test_it_exports_with_any_batch_size(name: str) -> None:
    check_export(name, 0, 1)


@pytest.mark.long
@BOTH
def test_every_one_exports_with_any_batch_size(name: str, which: int, batch: int) -> None:
    check_export(name, which, batch)


@torch.no_grad()
def check_export(name: str, which: int, batch: int) -> None:
    network, x = build_at(name, which, batch)
    example = torch.cat([x[:1]] * 2)
    dynamic = {0: torch.export.Dim("batch", min=1)}
    program = torch.export.export(network.eval(), (example,), dynamic_shapes=(dynamic,))
    torch.testing.assert_close(program.module()(x), network(x), rtol=1e-4, atol=1e-5)
