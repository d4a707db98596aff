"""Intervals of metrics: percentiles over people, exact where no replicate differs, paired for two systems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isnan, sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fas_core.config.recipe import MetricChoice, Recipe
from fas_core.descriptors import Metric
from fas_core.errors import DataError
from fas_core.evaluation import (
    bind_metrics,
    bootstrap_intervals,
    compute_metrics,
    evaluate,
    format_tables,
)
from fas_core.evaluation.intervals import bootstrap_differences
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

PUBLISHED = bind_metrics(Recipe().metrics, registry())
EVERY = bind_metrics([MetricChoice(metric.name) for metric in registry().all(Metric)], registry())


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


def people(subjects: int, frames: int, seed: int = 0) -> ScoreTable:
    """Every frame of a subject scores alike, so that frames say little that is new."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), frames)
    live = np.tile(np.arange(frames) % 2, subjects)
    scores = live + rng.normal(0, 1, subjects)[subject] + rng.normal(0, 0.05, len(subject))
    return table(
        scores.tolist(), np.where(live, "live", "print").tolist(), subject=subject.astype(str).tolist()
    )


def test_intervals_hold_the_figure_and_repeat_by_seed() -> None:
    scores = people(30, 8)
    figures = compute_metrics(scores, PUBLISHED, 0.5)
    found = bootstrap_intervals(scores, PUBLISHED, 0.5, replicates=200)
    assert (found.by, found.groups, found.replicates, found.level) == ("subject", 30, 200, 0.95)
    assert list(found.figures) == list(figures)
    assert all(low <= figures[key] <= high for key, (low, high) in found.figures.items())
    assert found == bootstrap_intervals(scores, PUBLISHED, 0.5, replicates=200)
    assert found != bootstrap_intervals(scores, PUBLISHED, 0.5, replicates=200, seed=1)


def test_frames_of_one_person_do_not_narrow_the_interval() -> None:
    scores = people(30, 20)
    anonymous = ScoreTable.of({name: scores.table.column(name) for name in ("id", "score", "label")})

    def width(found: ScoreTable) -> float:
        low, high = bootstrap_intervals(found, PUBLISHED, 0.5, replicates=200).figures["bpcer"]
        return high - low

    assert width(scores) > 2 * width(anonymous)


def test_samples_give_the_textbook_width() -> None:
    """BPCER is a proportion: its 95 % interval is 1.96 standard deviations each way."""
    rng = np.random.default_rng(0)
    scores = table(rng.uniform(0, 1, 2000).tolist(), ["live"] * 2000)
    low, high = bootstrap_intervals(scores, PUBLISHED, 0.2, replicates=400).figures["bpcer"]
    assert high - low == pytest.approx(2 * 1.96 * sqrt(0.2 * 0.8 / 2000), rel=0.2)


def test_what_is_never_defined_stays_so() -> None:
    found = bootstrap_intervals(table([0.1, 0.9], ["live", "live"]), PUBLISHED, 0.5, replicates=20)
    assert all(map(isnan, found.figures["eer"]))
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["figures"]["eer"] == [None, None]


def test_two_systems_on_the_same_draws() -> None:
    ours = people(40, 6)
    better = ScoreTable.of(
        {
            name: ours.table.column(name) if name != "score" else ours.scores + 0.3 * ours.labels
            for name in ("id", "score", "label", "species", "subject")
        }
    )
    shuffled = ScoreTable(better.table.take(pa.array(np.random.default_rng(0).permutation(len(better)))))
    found = bootstrap_differences(shuffled, ours, PUBLISHED, (0.5, 0.5), replicates=200)
    assert found.figures["auc"][0] > 0
    assert found.figures["bpcer"][1] < 0
    assert found.figures["apcer"] == (0.0, 0.0)
    same = bootstrap_differences(ours, ours, PUBLISHED, (0.5, 0.5), replicates=20)
    assert set(same.figures.values()) == {(0.0, 0.0)}
    # Paired: the two vary together, so their difference varies less than either.
    low, high = found.figures["auc"]
    alone = bootstrap_intervals(ours, PUBLISHED, 0.5, replicates=200).figures["auc"]
    assert high - low < alone[1] - alone[0]


def test_two_systems_must_hold_the_same_samples() -> None:
    three, two = table([0.1, 0.2, 0.3], ["live"] * 3), table([0.1, 0.2], ["live", "print"])
    with pytest.raises(DataError, match="1 ids only in the first, 0 only in the second: 2"):
        bootstrap_differences(three, two, PUBLISHED, (0.5, 0.5))
    with pytest.raises(DataError, match="label 1 samples differently: 1"):
        bootstrap_differences(two, table([0.1, 0.2], ["live", "live"]), PUBLISHED, (0.5, 0.5))


def test_a_result_with_intervals() -> None:
    scores = people(30, 8)
    result = evaluate(scores, PUBLISHED, Threshold(0.5, "eer", "dev"), name="test", replicates=50)
    document = result.to_json()
    assert document["intervals"]["by"] == "subject"
    assert document["intervals"]["figures"].keys() == document["metrics"].keys()
    assert document["intervals"]["species"] == {"print": document["intervals"]["figures"]["apcer"]}
    for rates in format_tables([result])[:2]:
        values, low, high = (np.array(row[1:], float) for row in rates.rows)
        assert (low <= values).all()
        assert (values <= high).all()


def test_each_species_has_an_interval_of_its_own() -> None:
    scores = table([0.9, *np.linspace(0, 1, 60), *[0.1] * 20], ["live", *["print"] * 60, *["replay"] * 20])
    found = bootstrap_intervals(scores, PUBLISHED, 0.5, replicates=200).species
    assert found["replay"] == (0.0, 0.0)
    assert found["print"][1] - found["print"][0] == pytest.approx(2 * 1.96 * sqrt(0.25 / 60), rel=0.25)
    without = bootstrap_intervals(scores, PUBLISHED, None, replicates=3).species
    assert all(map(isnan, (*without["print"], *without["replay"])))
