"""Every registered metric, and the table of published metrics as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan, nan

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, roc_auc_score, roc_curve

from fas_core.config.components import MetricChoice
from fas_core.config.structure import structure
from fas_core.descriptors import Metric
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable

PUBLISHED = ["acc", "eer", "tpr_at_fpr", "apcer", "bpcer", "acer", "auc"]
METRICS = [item for item in registry().all(Metric) if isinstance(item, Metric)]


def compute(
    name: str, scores: ScoreTable, threshold: float | None = None, **options: object
) -> Mapping[str, float]:
    choice = structure({"name": name, **options}, MetricChoice, registry(), "test")
    found: Mapping[str, float] = (
        registry().find(Metric, name).load()(choice.options, scores=scores, threshold=threshold)
    )
    return found


def table(scores: list[float], labels: list[int], species: list[str | None] | None = None) -> ScoreTable:
    ids = [str(index) for index in range(len(scores))]
    return ScoreTable.of({"id": ids, "score": scores, "label": labels, "species": species})


@pytest.fixture
def example() -> ScoreTable:
    """Four live samples; three prints, of which one passes at 0.5; one replay, which passes."""
    return table(
        [0.9, 0.8, 0.7, 0.3, 0.6, 0.2, 0.1, 0.5],
        [1, 1, 1, 1, 0, 0, 0, 0],
        ["live"] * 4 + ["print"] * 3 + ["replay"],
    )


def test_worked_example(example: ScoreTable) -> None:
    figures = {key: value for name in PUBLISHED for key, value in compute(name, example, 0.5).items()}
    assert figures == pytest.approx(
        {
            "acc": 5 / 8,  # wrong: live 0.3, print 0.6, replay 0.5 (a score at the threshold is accepted)
            "eer": 0.25,  # between 0.5 and 0.6: one of four attacks above, one of four live below
            "tpr@fpr=1e-2": 3 / 4,  # no attack may pass: accept above 0.6
            "tpr@fpr=1e-3": 3 / 4,
            "apcer": 2 / 4,
            "apcer_max": 1.0,  # print 1/3, replay 1/1
            "bpcer": 1 / 4,
            "acer": (2 / 4 + 1 / 4) / 2,
            "acer_max": (1 + 1 / 4) / 2,
            "auc": 14 / 16,  # of 16 pairs, live 0.3 loses to 0.5 and 0.6
        }
    )


def test_published_keys_in_order(example: ScoreTable) -> None:
    keys = [key for name in PUBLISHED for key in compute(name, example, 0.5)]
    tprs = ["tpr@fpr=1e-2", "tpr@fpr=1e-3"]
    assert keys == ["acc", "eer", *tprs, "apcer_max", "apcer", "bpcer", "acer_max", "acer", "auc"]


@pytest.mark.parametrize("seed", range(3))
def test_a_random_table_agrees_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 3000)
    scores = np.round(rng.normal(labels * 1.5, 1.0), 1)
    species = np.where(labels == 1, "live", rng.choice(["print", "replay", "mask_3d"], 3000))
    found = table(scores.tolist(), labels.tolist(), species.tolist())
    accepted = (scores >= 0.7).astype(int)
    (tn, fp), (fn, tp) = confusion_matrix(labels, accepted)
    fprs, tprs, _ = roc_curve(labels, scores, drop_intermediate=False)
    worst = max(accepted[(labels == 0) & (species == name)].mean() for name in ("print", "replay", "mask_3d"))
    figures = {key: value for name in PUBLISHED for key, value in compute(name, found, 0.7).items()}
    assert figures == pytest.approx(
        {
            "acc": accuracy_score(labels, accepted),
            "eer": ((fprs + 1 - tprs) / 2)[np.abs(fprs + tprs - 1).argmin()],
            "tpr@fpr=1e-2": tprs[fprs <= 1e-2].max(),
            "tpr@fpr=1e-3": tprs[fprs <= 1e-3].max(),
            "apcer": fp / (fp + tn),
            "apcer_max": worst,
            "bpcer": fn / (fn + tp),
            "acer": (fp / (fp + tn) + fn / (fn + tp)) / 2,
            "acer_max": (worst + fn / (fn + tp)) / 2,
            "auc": roc_auc_score(labels, scores),
        }
    )


ATTACKS_ONLY = {"acc", "apcer", "apcer_max"}
LIVE_ONLY = {"acc", "bpcer"}


@pytest.mark.parametrize(("label", "defined"), [(0, ATTACKS_ONLY), (1, LIVE_ONLY)])
def test_one_class_defines_some_figures(label: int, defined: set[str]) -> None:
    one = table([0.2, 0.6, 0.9], [label] * 3)
    figures = {key: value for name in PUBLISHED for key, value in compute(name, one, 0.5).items()}
    assert {key for key, value in figures.items() if not isnan(value)} == defined
    assert figures["acc"] == pytest.approx(2 / 3 if label else 1 / 3)


def test_some_figures_need_no_threshold(example: ScoreTable) -> None:
    figures = {key: value for name in PUBLISHED for key, value in compute(name, example).items()}
    defined = {key for key, value in figures.items() if not isnan(value)}
    assert defined == {"eer", "auc", "tpr@fpr=1e-2", "tpr@fpr=1e-3"}


def test_nan_scores_are_ignored(example: ScoreTable) -> None:
    columns = {name: example.table.column(name).to_pylist() for name in ("id", "score", "label", "species")}
    extra = {"id": ["x", "y"], "score": [nan, nan], "label": [1, 0], "species": ["live", "print"]}
    with_nan = ScoreTable.of({name: columns[name] + extra[name] for name in columns})
    for name in PUBLISHED:
        assert compute(name, with_nan, 0.5) == compute(name, example, 0.5)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_pure_and_in_range(metric: Metric, example: ScoreTable) -> None:
    before = example.table
    figures = metric.load()(metric.options(), scores=example, threshold=0.5)
    assert figures == metric.load()(metric.options(), scores=example, threshold=0.5)
    assert figures
    assert all(type(key) is str and type(value) is float for key, value in figures.items())
    assert example.table is before
