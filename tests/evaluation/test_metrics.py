"""Metrics bound to their options, and what they give for one table."""

from __future__ import annotations

import subprocess
import sys
from math import inf, isnan, nan

import pytest

from fas_core import NoOptions
from fas_core.config.recipe import MetricChoice, Recipe
from fas_core.errors import PluginError
from fas_core.evaluation import BoundMetric, bind_metrics, compute_metrics
from fas_core.evaluation.metrics import finite_or_none, species_apcer
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
    with pytest.raises(PluginError, match=r"'aucc'.*did you mean 'auc'"):
        bind_metrics([MetricChoice("aucc")], registry())


def test_options_of_a_recipe_are_kept() -> None:
    (bound,) = bind_metrics([MetricChoice("tpr_at_fpr")], registry())
    options = type(bound.options)(fprs=(0.5,))
    (bound,) = bind_metrics([MetricChoice("tpr_at_fpr", options)], registry())
    assert list(compute_metrics(TABLE, [bound], None)) == ["tpr@fpr=5e-1"]


def test_values_of_all_metrics_in_their_order() -> None:
    metrics = bind_metrics([MetricChoice("bpcer"), MetricChoice("apcer")], registry())
    assert compute_metrics(TABLE, metrics, 0.5) == {"bpcer": 0.0, "apcer": 0.5, "apcer_max": 0.5}
    assert all(map(isnan, compute_metrics(TABLE, metrics, None).values()))


def test_one_figure_given_by_two_metrics_is_refused() -> None:
    other = BoundMetric("mine", lambda options, scores, threshold: {"acc": 1.0}, NoOptions())
    metrics = [*bind_metrics(Recipe().metrics, registry()), other]
    with pytest.raises(PluginError, match="figure 'acc' is given by metric 'acc' and by 'mine'"):
        compute_metrics(TABLE, metrics, 0.5)


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
