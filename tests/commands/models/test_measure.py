"""Networks built from names, and what is measured of them."""

from __future__ import annotations

import time

import pytest
import torch

from fas_core.descriptors import Backbone, Fusion
from fas_core.errors import FasError
from fas_core.registry import registry
from fas_plugins.commands.models.measure import (
    NetworkSpec,
    latency,
    measure_component,
    measure_cost,
    measure_latency,
    network_document,
)

SMALL = NetworkSpec("feathernet_a", ("rgb",), "single", 64)


@pytest.mark.parametrize(
    ("modalities", "fusion", "expected"),
    [
        (("rgb",), None, ("single", 224)),
        (("rgb", "ir"), None, ("concat_linear", 224)),
        (("rgb", "ir"), "pipenet", ("pipenet", 224)),
    ],
)
def test_fusion_and_input_size_have_defaults(
    modalities: tuple[str, ...], fusion: str | None, expected: tuple[str, int]
) -> None:
    spec = NetworkSpec.of(registry(), "feathernet_a", modalities, fusion, None, 2)
    assert (spec.fusion, spec.input_size) == expected


def test_a_fusion_is_no_backbone_unless_both_have_the_name() -> None:
    with pytest.raises(FasError, match=r"pipenet is a fusion: .*--fusion pipenet"):
        NetworkSpec.of(registry(), "pipenet", ("rgb",), None, None, 2)
    assert NetworkSpec.of(registry(), "cdcn", ("rgb",), None, None, 2).backbone == "cdcn"


def test_cost_is_that_of_the_built_network() -> None:
    cost = measure_cost(SMALL.build(registry(), "meta"))
    parameters = sum(value.numel() for value in SMALL.build(registry()).parameters())
    assert cost.params == parameters
    document = network_document(SMALL, cost, None)
    assert (document["params"], document["latency_seconds"]) == (parameters, None)
    assert sum(block["params"] for block in document["blocks"]) == parameters


def test_rows_of_a_backbone_and_a_fusion() -> None:
    row = measure_component(registry().find(Backbone, "feathernet_b"), registry(), 2)
    assert (row["kind"], row["features"], row["takes"]) == ("backbone", [64, 7, 7], None)
    single = measure_component(registry().find(Fusion, "single"), registry(), 2)
    assert (single["kind"], single["features"], single["params"]) == ("fusion", None, row["params"])
    joined = measure_component(registry().find(Fusion, "concat_linear"), registry(), 2)
    assert joined["params"] > 2 * row["params"]


def test_quartiles_need_five_runs() -> None:
    timing = measure_latency(SMALL.build(registry()), threads=1, runs=5)
    assert 0 < timing.low <= timing.median <= timing.high
    with pytest.raises(FasError, match="--runs 4: quartiles take 5 runs or more"):
        measure_latency(SMALL.build(registry()), threads=1, runs=4)


def test_latency_has_quartiles_and_the_number_of_runs_and_threads() -> None:
    before = torch.get_num_threads()
    result = latency(lambda: torch.ones(8) + 1, threads=1, runs=7)
    assert 0 < result.low <= result.median <= result.high
    assert (result.runs, result.threads) == (7, 1)
    assert torch.get_num_threads() == before


def test_a_slow_call_is_timed_five_times() -> None:
    calls: list[bool] = []

    def call() -> None:
        calls.append(torch.is_inference_mode_enabled())
        time.sleep(0.01)

    result = latency(call, threads=1, runs=100, seconds=0.001)
    assert result.runs == 5
    assert calls == [True] * 7  # two to warm up
    assert result.low >= 0.01
