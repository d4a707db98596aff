"""Bootstrap replicates: each is exactly the table with rows repeated, and groups are people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fas_core import NoOptions
from fas_core.config.components import MetricChoice
from fas_core.descriptors import Metric
from fas_core.evaluation import BoundMetric, bind_metrics, compute_metrics
from fas_core.evaluation.bootstrap import Resampler, choose_groups
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable

EVERY = bind_metrics([MetricChoice(found.name) for found in registry().all(Metric)], registry())
SPECIES = ("live", "print", "replay")


def mean_score(options: NoOptions, scores: ScoreTable, threshold: float | None) -> Mapping[str, float]:
    """Somebody else's metric, which knows nothing of error rates."""
    values = scores.scores
    return {"mean": float(np.nanmean(values)) if np.isfinite(values).any() else nan, "n": float(len(scores))}


THEIRS = BoundMetric("mean", mean_score, NoOptions())


def table(scores: Sequence[float], species: Sequence[str | None], **columns: Any) -> ScoreTable:
    return ScoreTable.of(
        {
            "id": [str(index) for index in range(len(scores))],
            "score": scores,
            "label": [None if name is None else int(name == "live") for name in species],
            "species": species,
            **columns,
        }
    )


ROWS = st.lists(
    st.tuples(
        st.sampled_from([-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, nan]),
        st.sampled_from([*SPECIES, "mask_3d", None]),
        st.sampled_from("abcd"),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_draw_is_the_table_with_its_rows_repeated(
    rows: list[tuple[Any, Any, Any]], drawn: list[int]
) -> None:
    scores, species, subject = (list(column) for column in zip(*rows, strict=True))
    whole = table(scores, species, subject=subject)
    groups = np.array([ord(name) - ord("a") for name in subject], np.intp)
    draw = Resampler.of(whole, groups).resample(np.array(drawn))
    chosen = [row for row in range(len(rows)) for _ in range(drawn[groups[row]])]
    by_hand = ScoreTable(whole.table.take(pa.array(chosen, pa.int64())))
    metrics = [*EVERY, THEIRS]
    assert compute_metrics(draw, metrics, 0.4) == pytest.approx(
        compute_metrics(by_hand, metrics, 0.4), nan_ok=True
    )
    assert draw.live.tolist() == by_hand.live.tolist()
    assert draw.attack.tolist() == by_hand.attack.tolist()
    assert draw.counts() == by_hand.counts()
    assert draw.table.drop(["score"]).equals(by_hand.table.drop(["score"]))


def test_subjects_before_videos_before_samples() -> None:
    columns: dict[str, Any] = {"subject": ["a", "a", "b"], "video": ["1", "2", "3"]}
    found = table([0.1, 0.2, 0.3], ["live", "print", "print"], **columns)
    by, groups, count = choose_groups(found)
    assert (by, groups.tolist(), count) == ("subject", [0, 0, 1], 2)
    columns["subject"][1] = None
    assert choose_groups(table([0.1, 0.2, 0.3], ["live"] * 3, **columns))[::2] == ("video", 3)
    assert choose_groups(table([0.1, 0.2, 0.3], ["live"] * 3))[::2] == ("sample", 3)
