"""Score tables of an ensemble's members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fas_core.scores.table import ScoreTable


@pytest.fixture
def make_scores() -> Callable[..., ScoreTable]:
    """`make_scores([0.2, 0.9], labels=[0, 1], ids=None, species=...)`; ids are s0, s1, ... by default."""

    def make(scores: Any, labels: Any = None, ids: Any = None, **columns: Any) -> ScoreTable:
        names = ids if ids is not None else [f"s{row}" for row in range(len(scores))]
        known = None if labels is None else [None if label is None else int(label) for label in labels]
        return ScoreTable.of({"id": names, "score": scores, "label": known, **columns})

    return make
