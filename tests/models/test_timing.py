"""Threads of torch, and the time of a call."""

from __future__ import annotations

import time

import pytest
import torch

from fas_core.models.timing import latency, torch_threads


def test_threads_are_restored_also_after_an_error() -> None:
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    with pytest.raises(ValueError, match="stop"), torch_threads(before + 1):
        raise ValueError("stop")
    assert torch.get_num_threads() == before


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
