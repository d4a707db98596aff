"""Evaluation of scored splits, of subsets of the modalities, and of the scores in a run folder."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from numpy.typing import NDArray

from fas_core.config.components import DatasetChoice, MetricChoice
from fas_core.contracts import Images
from fas_core.errors import DataError, ModelError
from fas_core.evaluation.groups import EvaluationOptions
from fas_core.inference.evaluate_split import Evaluation, evaluate_stored, evaluate_subsets, spread_live
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.score_samples import ScoredSplit
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

METRICS = (MetricChoice("apcer"), MetricChoice("bpcer"))
HALF = Threshold(0.5, "eer", "dev")


def count_modalities(images: Images, presence: NDArray[np.bool_] | None = None, /) -> NDArray[np.float64]:
    """Score the share of the two modalities that a sample has."""
    assert presence is not None
    return presence.mean(axis=1)


def make_model(threshold: Threshold | None = HALF, partial: bool = True) -> LoadedModel:
    return LoadedModel(
        path=Path("runs/one"),
        scorer=count_modalities,
        input=ModelInput(("rgb", "depth"), 16, partial=partial),
        data=DatasetChoice("folder"),
        metrics=METRICS,
        own_threshold=threshold,
        why="runs/one: no dev scores",
    )


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation(registry(), options=EvaluationOptions(replicates=0))


@pytest.fixture
def scores() -> ScoreTable:
    """One of two live samples and one of two attacks are wrong at 0.5; at 0.25 only an attack."""
    return ScoreTable.of({"id": list("abcd"), "score": [0.9, 0.3, 0.6, 0.1], "label": [1, 1, 0, 0]})


def rates(metrics: Any) -> tuple[float, float]:
    return metrics["apcer"], metrics["bpcer"]


def test_a_split_is_evaluated_at_the_models_threshold(evaluation: Evaluation, scores: ScoreTable) -> None:
    model = make_model()
    scored = ScoredSplit(model, scores, ("a note",))
    grouped = evaluation.evaluate(scored, evaluation.metrics(model), "test")
    assert grouped is not None
    assert (grouped.result.name, grouped.result.threshold) == ("test", HALF)
    assert rates(grouped.result.metrics) == (0.5, 0.5)
    assert "a note" in grouped.result.notes


def test_a_policy_replaces_the_models_threshold(evaluation: Evaluation, scores: ScoreTable) -> None:
    model = make_model()
    fixed = evolve(evaluation, policy="fixed:0.25")
    grouped = fixed.evaluate(ScoredSplit(model, scores, ()), fixed.metrics(model), "test")
    assert grouped is not None
    assert rates(grouped.result.metrics) == (0.5, 0.0)
    fitted = evolve(evaluation, policy="min-acer")
    with pytest.raises(DataError, match="there are no dev scores"):
        fitted.evaluate(ScoredSplit(model, scores, ()), fitted.metrics(model), "test")


def test_a_model_without_a_threshold_is_warned_of(
    evaluation: Evaluation, scores: ScoreTable, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_model(threshold=None)
    grouped = evaluation.evaluate(
        ScoredSplit(model, scores, ()), evaluation.metrics(model), "test", prefix="4@1: "
    )
    assert grouped is not None
    assert np.isnan(rates(grouped.result.metrics)).all()
    assert "4@1: no threshold: runs/one: no dev scores" in " ".join(capsys.readouterr().err.split())


def test_samples_without_labels_have_no_result(evaluation: Evaluation) -> None:
    model = make_model()
    scores = ScoreTable.of({"id": ["a", "b"], "score": [0.1, 0.9], "label": [1, None]})
    assert evaluation.evaluate(ScoredSplit(model, scores, ()), evaluation.metrics(model), "test") is None


def test_scores_are_written_only_below_an_output(
    evaluation: Evaluation, scores: ScoreTable, tmp_path: Path
) -> None:
    scored = ScoredSplit(make_model(), scores, ())
    evaluation.write_scores(scored, "4@1")
    evolve(evaluation, output=tmp_path).write_scores(scored, "4@1")
    assert [path.name for path in tmp_path.iterdir()] == ["4@1.csv"]
    assert ScoreTable.read(tmp_path / "4@1.csv").scores.tolist() == scores.scores.tolist()


@pytest.fixture
def reader(make_samples: Any) -> Any:
    """Four samples of rgb and depth: every score is the share of the modalities."""
    samples: SampleTable = make_samples(4, ("rgb", "depth"))
    return SimpleNamespace(overlaps=(), notes=(), samples=lambda split: samples, splits=lambda: ("test",))


def test_every_subset_has_a_row_at_one_threshold(evaluation: Evaluation, reader: Any) -> None:
    model = make_model(threshold=Threshold(0.75, "eer", "dev"))
    results = evaluate_subsets(model, reader, evaluation)
    assert [result.name for result in results] == ["rgb+depth", "rgb", "depth"]
    # With both modalities everything is accepted, with one of them nothing.
    assert [rates(result.metrics) for result in results] == [(1, 0), (0, 1), (0, 1)]


def test_subsets_need_a_model_that_does_without_modalities(evaluation: Evaluation, reader: Any) -> None:
    with pytest.raises(ModelError, match="the model needs all of rgb, depth"):
        evaluate_subsets(make_model(partial=False), reader, evaluation)


def test_stored_scores_with_labels_are_evaluated(scores: ScoreTable, reader: Any) -> None:
    unlabelled = ScoreTable.of({"id": ["a"], "score": [0.5]})

    def make_run(**stored: ScoreTable) -> Any:
        return SimpleNamespace(
            recipe=SimpleNamespace(metrics=METRICS, folds=None, train=SimpleNamespace(seed=14)),
            registry=registry(),
            threshold=lambda: HALF,
            stored_scores=stored.get,
            fitting_scores=lambda: None,
        )

    results = evaluate_stored(make_run(dev=scores, test=unlabelled), reader)
    assert list(results) == ["dev"]
    assert rates(results["dev"].metrics) == (0.5, 0.5)
    assert evaluate_stored(make_run(test=scores), reader, name="one")["test"].name == "one"


def test_stored_scores_without_a_threshold_have_no_error_rates(scores: ScoreTable, reader: Any) -> None:
    def refuse() -> Threshold:
        raise DataError("no dev scores")

    run: Any = SimpleNamespace(
        recipe=SimpleNamespace(metrics=METRICS, folds=None, train=SimpleNamespace(seed=14)),
        registry=registry(),
        threshold=refuse,
        stored_scores={"test": scores}.get,
        fitting_scores=lambda: None,
    )
    result = evaluate_stored(run, reader)["test"]
    assert result.threshold is None
    assert np.isnan(result.metrics["apcer"])


def test_live_samples_of_train_are_spread_over_people_and_sessions(tmp_path: Path) -> None:
    rows = [
        (f"{person}{session}{number}", 1, person, session)
        for person in "ab"
        for session in "12"
        for number in range(9)
    ]
    rows += [("attack", 0, "a", "1"), ("nobody", 1, None, "1")]
    ids, labels, subjects, sessions = zip(*rows, strict=True)
    columns = {"id": ids, "rgb": ids, "label": labels, "subject": subjects, "session": sessions}
    samples = SampleTable.of(columns, modalities=("rgb",), root=tmp_path)
    assert spread_live(samples, 3).column("id") == [
        f"{group}{row}" for group in ("a1", "a2", "b1", "b2") for row in (0, 4, 8)
    ]
    assert len(spread_live(samples, 20)) == 36
    assert len(spread_live(samples.take([37]), 3)) == 0
