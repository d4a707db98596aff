"""Metrics bound to their options, and what they give for one table."""

from __future__ import annotations

import subprocess
import sys
from math import inf, isnan, nan
from typing import Any

import pytest

from fas_core import Metric, NoOptions
from fas_core.config.components import MetricChoice
from fas_core.evaluation import BoundMetric, bind_metrics, compute_metrics, evaluate
from fas_core.evaluation.metrics import finite_or_none, species_apcer
from fas_core.failures import Provider
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable

TABLE = ScoreTable.of(
    {
        "id": ["a", "b", "c", "d"],
        "score": [0.9, 0.6, 0.1, nan],
        "label": [1, 0, 0, 0],
        "species": ["live", "print", "print", "replay"],
    }
)


def test_binding_gives_each_metric_its_options() -> None:
    chosen = bind_metrics([MetricChoice("tpr_at_fpr")], registry())
    assert chosen[0].options.fprs == (1e-2, 1e-3)


def test_a_metric_that_no_plugin_provides_has_no_values() -> None:
    failures: list[str] = []
    metrics = bind_metrics([MetricChoice("aucc"), MetricChoice("acc")], registry())
    values = compute_metrics(TABLE, metrics, 0.5, failures)
    assert isnan(values["aucc"])
    assert values["acc"] == pytest.approx(2 / 3)
    assert failures == ["metric 'aucc': no plugin provides it (did you mean 'auc'?)"]


def test_options_of_a_recipe_are_kept() -> None:
    (bound,) = bind_metrics([MetricChoice("tpr_at_fpr")], registry())
    options = type(bound.options)(fprs=(0.5,))
    (bound,) = bind_metrics([MetricChoice("tpr_at_fpr", options)], registry())
    assert list(compute_metrics(TABLE, [bound], None)) == ["tpr@fpr=5e-1"]


def test_values_of_all_metrics_in_their_order() -> None:
    metrics = bind_metrics([MetricChoice("bpcer"), MetricChoice("apcer")], registry())
    assert compute_metrics(TABLE, metrics, 0.5) == {"bpcer": 0.0, "apcer": 0.5, "apcer_max": 0.5}
    assert all(map(isnan, compute_metrics(TABLE, metrics, None).values()))


def test_of_one_figure_given_by_two_metrics_the_first_counts() -> None:
    other = BoundMetric("mine", lambda options, scores, threshold: {"acc": 7.0, "x": 1.0}, NoOptions())
    failures: list[str] = []
    values = compute_metrics(TABLE, [*bind_metrics([MetricChoice("acc")], registry()), other], 0.5, failures)
    assert values["acc"] == pytest.approx(2 / 3)
    assert isnan(values["mine"])
    assert "x" not in values
    assert failures == ["metric 'mine' has no values: another one gives acc too"]


def their(function: Any) -> BoundMetric:
    """A metric of another distribution than fas-core."""
    component = Metric(name="gap", summary="", target="acme:gap", provider=Provider("acme-fas", "0.3"))
    return BoundMetric("gap", function, NoOptions(), component)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda options, scores, threshold: {"gap": 1 / 0}, "ZeroDivisionError: division by zero"),
        (
            lambda options, scores, threshold: None,
            "AttributeError: 'NoneType' object has no",
        ),
        (lambda options, scores, threshold: {"gap": "wide"}, "ValueError: could not convert string to float"),
        (lambda options: {"gap": 1}, "TypeError: "),
        (lambda options, scores, threshold: exit(0), "SystemExit: 0"),
    ],
)
def test_a_metric_of_a_plugin_that_fails_has_nan(function: Any, error: str) -> None:
    failures: list[str] = []
    metrics = [their(function), *bind_metrics([MetricChoice("acc")], registry())]
    values = compute_metrics(TABLE, metrics, 0.5, failures)
    assert isnan(values["gap"])
    assert values["acc"] == pytest.approx(2 / 3)
    assert failures[0].startswith(f"metric 'gap' of acme-fas 0.3 failed: {error}")


def test_a_metric_that_fails_once_keeps_the_names_of_its_values() -> None:
    def flaky(options: Any, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
        if threshold is None:
            raise ValueError("no threshold")
        return {"wide": 1.0, "narrow": 0.5}

    metric = their(flaky)
    assert compute_metrics(TABLE, [metric], 0.5) == {"wide": 1.0, "narrow": 0.5}
    values = compute_metrics(TABLE, [metric], None)
    assert set(values) == {"wide", "narrow"}
    assert all(map(isnan, values.values()))


def test_an_error_in_a_metric_of_ours_is_a_bug_and_ctrl_c_stays_ctrl_c() -> None:
    core = Metric(name="gap", summary="", target="x:gap", provider=Provider("fas-core", "0.1.0"))
    with pytest.raises(ZeroDivisionError):
        compute_metrics(TABLE, [BoundMetric("gap", lambda *_, **__: 1 / 0, None, core)], 0.5)  # type: ignore

    def interrupt(*_: Any, **__: Any) -> dict[str, float]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_metrics(TABLE, [their(interrupt)], 0.5)


def test_a_failure_is_a_note_and_a_dash_and_its_intervals_are_empty() -> None:
    result = evaluate(TABLE, [their(lambda **_: 1 / 0)], None, replicates=20)
    assert result.to_json()["metrics"] == {"gap": None}
    assert any("metric 'gap' of acme-fas 0.3 failed" in note for note in result.notes)
    assert result.intervals is not None


def test_apcer_by_species() -> None:
    assert species_apcer(TABLE, 0.5) == {"print": 0.5, "replay": pytest.approx(nan, nan_ok=True)}
    assert all(map(isnan, species_apcer(TABLE, None).values()))


def test_what_json_cannot_hold_is_null() -> None:
    assert [finite_or_none(value) for value in (0.5, nan, inf, -inf)] == [0.5, None, None, None]


def test_evaluation_imports_nothing_heavy() -> None:
    code = (
        "import sys, fas_core.evaluation, fas_plugins.metrics.auc\n"
        "print(sorted({'torch', 'sklearn', 'scipy', 'matplotlib', 'cv2', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
