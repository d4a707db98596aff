"""Intervals of metrics: percentiles over people, exact where no replicate differs, paired for two systems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isnan, sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fas_core import NoOptions
from fas_core.config.components import MetricChoice
from fas_core.config.recipe import Recipe
from fas_core.descriptors import Metric
from fas_core.errors import DataError
from fas_core.evaluation import (
    BoundMetric,
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

NONE_OF_20, NONE_OF_40 = 1 - 0.025 ** (1 / 20), 1 - 0.025 ** (1 / 40)
"""The exact upper limits of a rate of 0: no error of 20 and of 40 people."""

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
    assert found.figures["apcer"] == pytest.approx((-NONE_OF_40, NONE_OF_40))  # no attack's score differs
    same = bootstrap_differences(ours, ours, PUBLISHED, (0.5, 0.5), replicates=20)
    assert all(bounds == pytest.approx((-NONE_OF_40, NONE_OF_40)) for bounds in same.figures.values())
    assert same.exact == tuple(same.figures)
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
        values, low, high = (np.array([cell.strip("*") for cell in row[1:]], float) for row in rates.rows)
        assert (low <= values).all()
        assert (values <= high).all()


def test_each_species_has_an_interval_of_its_own() -> None:
    scores = table([0.9, *np.linspace(0, 1, 60), *[0.1] * 20], ["live", *["print"] * 60, *["replay"] * 20])
    found = bootstrap_intervals(scores, PUBLISHED, 0.5, replicates=200).species
    assert found["replay"] == pytest.approx((0.0, NONE_OF_20))
    assert found["print"][1] - found["print"][0] == pytest.approx(2 * 1.96 * sqrt(0.25 / 60), rel=0.25)
    without = bootstrap_intervals(scores, PUBLISHED, None, replicates=3).species
    assert all(map(isnan, (*without["print"], *without["replay"])))


def separated(subjects: int = 20, live_errors: Sequence[str] = (), **columns: Any) -> ScoreTable:
    """A live sample, a print and a replay attack of each subject, without errors but for some live ones."""
    names = [f"s{index}" for index in range(subjects) for _ in range(3)]
    species = ["live", "print", "replay"] * subjects
    scores = [
        (0.1 if name in live_errors else 0.9) if kind == "live" else 0.2
        for name, kind in zip(names, species, strict=True)
    ]
    return table(scores, species, **{"subject": names, **columns})


def test_no_errors_have_exact_intervals_over_people() -> None:
    found = bootstrap_intervals(separated(), EVERY, 0.5, replicates=50)
    errors = {key for key in found.figures if not key.startswith(("acc", "tpr", "auc", "d_prime"))}
    for key in errors:
        assert found.figures[key] == pytest.approx((0.0, NONE_OF_20)), key
    for key in ("acc", "auc", "tpr@fpr=1e-2", "tpr@fpr=1e-3"):
        assert found.figures[key] == pytest.approx((1 - NONE_OF_20, 1.0)), key
    assert found.species == {name: pytest.approx((0.0, NONE_OF_20)) for name in ("print", "replay")}
    assert set(found.exact) == found.figures.keys() - {"d_prime"}
    assert set(found.exact_species) == {"print", "replay"}
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["exact"] == {
        "figures": [*found.exact],
        "species": [*found.exact_species],
        "partly": [],
    }


def test_all_wrong_has_an_exact_interval_too() -> None:
    found = bootstrap_intervals(separated(), PUBLISHED, 0.1, replicates=20)
    assert found.figures["apcer"] == pytest.approx((1 - NONE_OF_20, 1.0))
    assert found.figures["apcer_max"] == found.figures["apcer"]
    assert found.figures["acer"] == pytest.approx((0.5 * (1 - NONE_OF_20), 0.5 + 0.5 * NONE_OF_20))


def test_each_rate_counts_the_people_of_its_own_class() -> None:
    """10 people with live samples, 20 with prints, 5 with masks."""
    species = ["live"] * 10 + ["print"] * 20 + ["mask_3d"] * 5
    scores = [0.9 if name == "live" else 0.1 for name in species]
    found = bootstrap_intervals(table(scores, species), EVERY, 0.5, replicates=300)
    expected = {"bpcer": 10, "apcer": 25, "apcer_max": 5, "eer": 10, "bpcer20": 5, "apcer@bpcer=1e-1": 10}
    for key, count in expected.items():
        assert found.figures[key][1] == pytest.approx(1 - 0.025 ** (1 / count)), key
    assert found.species["print"][1] == pytest.approx(1 - 0.025 ** (1 / 20))
    assert found.worst == "mask_3d"
    limits = found.figures["apcer"][1], found.figures["bpcer"][1]
    assert found.figures["acer"][1] == pytest.approx(sum(limits) / 2)
    assert found.figures["acc"][0] == pytest.approx(1 - (25 * limits[0] + 10 * limits[1]) / 35)


def test_acer_is_as_uncertain_as_an_apcer_of_zero() -> None:
    """Only BPCER varies between replicates, but the APCER of 0 of 20 people is uncertain as well."""
    found = bootstrap_intervals(separated(live_errors=["s3", "s4"]), PUBLISHED, 0.5, replicates=200)
    low, high = found.figures["bpcer"]
    assert 0 <= low < 0.1 < high
    assert found.figures["acer"] == pytest.approx((low / 2, (high + NONE_OF_20) / 2))
    assert set(found.partly_exact) == {"acc", "acer", "acer_max"}
    assert "apcer" in found.exact
    assert not {"bpcer", "acer"} & set(found.exact)


def test_one_person_says_nothing() -> None:
    scores = table([0.9, 0.4, 0.1, 0.6], ["live", "live", "print", "print"], subject=["a"] * 4)
    found = bootstrap_intervals(scores, PUBLISHED, 0.5, replicates=20)
    assert found.figures["apcer"] == found.figures["auc"] == (0.0, 1.0)


def test_what_is_no_rate_has_no_exact_interval() -> None:
    constant = BoundMetric("gap", lambda options, scores, threshold: {"gap": 2.0}, NoOptions())
    assert all(map(isnan, bootstrap_intervals(separated(), [constant], 0.5, replicates=5).figures["gap"]))


def test_the_interval_of_the_worst_species_is_that_species() -> None:
    """With many species the highest APCER of a replicate is above the highest of the data."""
    rng = np.random.default_rng(1)
    species = [f"mask_{index // 12}" for index in range(120)]
    scores = table([0.9, *(rng.uniform(0, 1, 120) ** 2)], ["live", *species])
    found = bootstrap_intervals(scores, PUBLISHED, 0.5, replicates=200)
    values = compute_metrics(scores, PUBLISHED, 0.5)
    assert found.worst is not None
    assert found.figures["apcer_max"] == found.species[found.worst]
    assert found.figures["apcer_max"][0] < values["apcer_max"] < found.figures["apcer_max"][1]


def test_a_metric_that_failed_has_no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fas_core.evaluation.intervals.compute_answered", lambda *_: {"gap": None})
    found = bootstrap_intervals(separated(), PUBLISHED, 0.5, replicates=5)
    assert all(map(isnan, found.figures["gap"]))
    differences = bootstrap_differences(separated(), separated(), PUBLISHED, (0.5, 0.5), replicates=5)
    assert all(map(isnan, differences.figures["gap"]))


def test_videos_count_where_people_are_not_known() -> None:
    names = [f"v{index}" for index in range(20) for _ in range(3)]
    found = bootstrap_intervals(separated(subject=None, video=names), PUBLISHED, 0.5, replicates=20)
    assert (found.by, found.figures["apcer"]) == ("video", pytest.approx((0.0, NONE_OF_20)))
