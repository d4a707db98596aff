"""Metrics from the command line, and results of the groups of a score table."""

from __future__ import annotations

import pytest

from fas_core.config.components import MetricChoice
from fas_core.errors import ConfigError, DataError, PluginError
from fas_core.evaluation import bind_metrics
from fas_core.evaluation.groups import (
    EvaluationOptions,
    evaluate_groups,
    group_scores,
    groups_table,
    parse_metric,
)
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

HALF = Threshold(0.5, "fixed:0.5", "given")


@pytest.fixture
def scores() -> ScoreTable:
    """Two live samples, a print and two replays, of two devices, and a sample without a label."""
    return ScoreTable.of(
        {
            "id": ["a", "b", "c", "d", "e", "f"],
            "score": [0.9, 0.3, 0.6, 0.1, 0.7, 0.5],
            "label": [1, 1, 0, 0, 0, None],
            "species": ["live", "live", "print", "replay", "replay", None],
            "device": ["phone", "tablet", "phone", "tablet", None, "camera"],
        }
    )


def ids(table: ScoreTable) -> list[str]:
    return list(table.table.column("id").to_pylist())


def test_a_metric_without_rates_is_a_name() -> None:
    assert parse_metric("hter", registry()) == MetricChoice("hter")


def test_rates_become_the_one_option_of_the_metric() -> None:
    choice = parse_metric("bpcer_ap:0.02,0.05", registry())
    assert choice.name == "bpcer_ap"
    assert list(choice.options.apcers) == [0.02, 0.05]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bpcer_ap:low", r"must be NAME\[:RATE,...\]"),
        ("bpcer_ap:", r"must be NAME\[:RATE,...\]"),
        ("hter:0.1", "hter has no targets: give --metric hter"),
        ("bpcer_ap:2", "--metric 'bpcer_ap:2'"),
    ],
)
def test_bad_rates_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_metric(text, registry())


def test_an_unknown_metric_with_rates_is_refused() -> None:
    with pytest.raises(PluginError, match="nonsense"):
        parse_metric("nonsense:0.1", registry())


def apcers(further: str) -> list[float]:
    """The rates that a further metric leaves to a recipe with `bpcer_ap` at 0.2."""
    recipe = [parse_metric("bpcer_ap:0.2", registry())]
    (metric,) = EvaluationOptions(metrics=(further,)).bind(recipe, registry())
    return list(metric.options.apcers)


def test_a_further_metric_with_rates_replaces_that_of_the_recipe() -> None:
    assert apcers("bpcer_ap:0.1") == [0.1]


def test_a_further_metric_without_rates_keeps_those_of_the_recipe() -> None:
    assert apcers("bpcer_ap") == [0.2]


def test_a_further_metric_follows_those_of_the_recipe() -> None:
    options = EvaluationOptions(metrics=("hter",))
    metrics = options.bind([MetricChoice("acc")], registry())
    assert [metric.name for metric in metrics] == ["acc", "hter"]


def test_each_value_of_a_column_has_its_labelled_samples(scores: ScoreTable) -> None:
    groups = group_scores(scores, "device")
    assert {name: ids(table) for name, table in groups.items()} == {
        "phone": ["a", "c"],
        "tablet": ["b", "d"],
        "unknown": ["e"],
    }


def test_a_species_is_grouped_with_all_live_samples(scores: ScoreTable) -> None:
    groups = group_scores(scores, "species")
    assert {name: ids(table) for name, table in groups.items()} == {
        "print": ["a", "b", "c"],
        "replay": ["a", "b", "d", "e"],
    }


def test_an_empty_column_and_a_table_without_labels_are_refused(scores: ScoreTable) -> None:
    with pytest.raises(DataError, match="--group-by session: nothing is known"):
        group_scores(scores, "session")
    unlabelled = ScoreTable.of({"id": ["a"], "score": [0.5], "device": ["phone"]})
    with pytest.raises(DataError, match="--group-by device: nothing is known"):
        group_scores(unlabelled, "device")


def test_groups_are_evaluated_at_the_same_threshold(scores: ScoreTable) -> None:
    metrics = bind_metrics([MetricChoice("apcer"), MetricChoice("bpcer")], registry())
    options = EvaluationOptions(replicates=0, group_by="species")
    grouped = evaluate_groups(scores, metrics, HALF, options, name="test", notes=["a note"])
    # Of three attacks 0.6 and 0.7 are accepted; of two live samples 0.3 is rejected.
    assert grouped.result.metrics["apcer"] == pytest.approx(2 / 3)
    assert grouped.result.metrics["bpcer"] == 0.5
    assert "a note" in grouped.result.notes
    assert {group.name: group.metrics["apcer"] for group in grouped.groups} == {"print": 1.0, "replay": 0.5}
    assert all(group.metrics["bpcer"] == 0.5 for group in grouped.groups)
    document = grouped.to_json()["groups"]
    assert document["by"] == "species"
    assert [item["name"] for item in document["results"]] == ["print", "replay"]
    assert groups_table(grouped).title == "By species, rates in %"


def test_without_a_column_there_are_no_groups(scores: ScoreTable) -> None:
    metrics = bind_metrics([MetricChoice("apcer"), MetricChoice("bpcer")], registry())
    grouped = evaluate_groups(scores, metrics, HALF, EvaluationOptions(replicates=0), name="test")
    assert grouped.groups == ()
    assert grouped.to_json() == grouped.result.to_json()


def test_one_subject_has_no_intervals() -> None:
    columns = {"id": list("abcdefgh"), "score": [0.9, 0.8, 0.1, 0.2] * 2, "label": [1, 1, 0, 0] * 2}
    subjects = ScoreTable.of(columns | {"subject": ["x"] * 4 + ["y"] * 4, "device": ["p"] * 4 + ["q"] * 4})
    metrics = bind_metrics([MetricChoice("apcer"), MetricChoice("bpcer")], registry())
    intervals = {}
    for by in ("subject", "device"):
        options = EvaluationOptions(replicates=20, group_by=by)
        grouped = evaluate_groups(subjects, metrics, HALF, options, name="test")
        assert grouped.result.intervals is not None
        intervals[by] = [group.intervals is not None for group in grouped.groups]
    assert intervals == {"subject": [False, False], "device": [True, True]}
