"""Score tables of two periods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fas_core.scores.ranked import Floats
from fas_core.scores.table import ScoreTable


@pytest.fixture
def table() -> Callable[..., ScoreTable]:
    """`table([0.2, 0.8], subject=["a", "b"])`: a score table with ids of its own."""

    def make(scores: Any, **columns: Any) -> ScoreTable:
        return ScoreTable.of({"id": [str(row) for row in range(len(scores))], "score": scores, **columns})

    return make


@pytest.fixture
def normal() -> Callable[..., Floats]:
    """`normal(seed, count=400, mean=0.5, spread=0.2)`: normally distributed scores."""

    def make(seed: int, count: int = 400, mean: float = 0.5, spread: float = 0.2) -> Floats:
        return np.random.default_rng(seed).normal(mean, spread, count)

    return make


@pytest.fixture
def people(table: Callable[..., ScoreTable]) -> Callable[..., ScoreTable]:
    """`people(seed, count, frames=10, mean=0.5)`: all frames of a person score nearly alike."""

    def make(seed: int, count: int, frames: int = 10, mean: float = 0.5) -> ScoreTable:
        rng = np.random.default_rng(seed)
        scores = np.repeat(rng.normal(mean, 0.2, count), frames) + rng.normal(0, 0.01, count * frames)
        return table(scores, subject=[str(row // frames) for row in range(count * frames)])

    return make
