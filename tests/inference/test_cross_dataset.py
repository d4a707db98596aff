"""One model on its own data and on others: rows, their names, and notes. Scores are grey levels / 255."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fas_core.config.components import MetricChoice
from fas_core.contracts import Images
from fas_core.data.open import resolve_dataset
from fas_core.errors import ConfigError, DataError
from fas_core.evaluation.groups import EvaluationOptions
from fas_core.inference.cross_dataset import CrossDatasetResult, evaluate_across
from fas_core.inference.evaluate_split import Evaluation
from fas_core.inference.loaded_model import LoadedModel
from fas_core.records.model_input import ModelInput
from fas_core.registry import registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

WriteFaces = Callable[[Path, str, str, int, int], None]


def mean_level(images: Images, presence: NDArray[np.bool_] | None = None, /) -> NDArray[np.float64]:
    return np.asarray(images["rgb"].mean(axis=(1, 2, 3)) / 255, np.float64)


def make_model(root: Path) -> LoadedModel:
    """A model of the data set at `root`."""
    return LoadedModel(
        path=Path("runs/one"),
        scorer=mean_level,
        input=ModelInput(("rgb",), 16),
        data=resolve_dataset(f"folder:{root}", None, registry()),
        metrics=(MetricChoice("apcer"), MetricChoice("bpcer")),
        own_threshold=Threshold(0.5, "eer", "dev"),
    )


def evaluate(model: LoadedModel, *specs: Path, output: Path | None = None) -> CrossDatasetResult:
    options = EvaluationOptions(replicates=0)
    return evaluate_across(
        model, [str(path) for path in specs], {}, Evaluation(registry(), options=options, output=output)
    )


@pytest.fixture
def data(tmp_path: Path, write_faces: WriteFaces) -> dict[str, Path]:
    """Three data sets: of `own` all scores are right, of the others those of all attacks are wrong."""
    roots = {"own": tmp_path / "own", "a": tmp_path / "a" / "faces", "b": tmp_path / "b" / "faces"}
    for name, root in roots.items():
        write_faces(root, "test", "live", 2, 200)
        write_faces(root, "test", "attack/print", 2, 50 if name == "own" else 220)
    return roots


def test_the_models_own_data_is_the_first_row(data: dict[str, Path], tmp_path: Path) -> None:
    result = evaluate(make_model(data["own"]), data["a"], data["b"], output=tmp_path / "scores")
    assert [row.name for row in result.results] == ["own", "faces", "faces-2"]
    assert [row.metrics["apcer"] for row in result.results] == [0, 1, 1]
    assert [row.metrics["bpcer"] for row in result.results] == [0, 0, 0]
    assert [document["seen"] for document in result.documents] == [True, False, False]
    assert [document["samples"] for document in result.documents] == [4, 4, 4]
    assert result.notes[0].startswith(f"own: folder:{data['own']}")
    assert result.notes[-1] == "never seen in training: faces, faces-2"
    assert len(ScoreTable.read(tmp_path / "scores" / "faces-2.csv")) == 4


def test_own_data_that_is_missing_has_a_note_and_no_row(data: dict[str, Path], tmp_path: Path) -> None:
    result = evaluate(make_model(tmp_path / "gone"), data["a"])
    assert [row.name for row in result.results] == ["faces"]
    assert "which is not here and has no row" in result.notes[0]


def test_own_data_that_is_named_is_evaluated_once(data: dict[str, Path]) -> None:
    result = evaluate(make_model(data["own"]), data["a"], data["own"])
    assert [row.name for row in result.results] == ["own", "faces"]


def test_a_folder_within_the_own_data_may_have_been_seen(
    data: dict[str, Path], write_faces: WriteFaces, tmp_path: Path
) -> None:
    inner = tmp_path / "own" / "test" / "live" / "inner"
    write_faces(inner, "test", "live", 1, 200)
    write_faces(inner, "test", "attack/print", 1, 50)
    result = evaluate(make_model(data["own"]), inner)
    assert [document["seen"] for document in result.documents] == [True, True]
    assert any(note.endswith("perhaps seen in training: inner") for note in result.notes)


def test_a_data_set_is_given_once(data: dict[str, Path]) -> None:
    with pytest.raises(DataError, match="the same data set is given twice"):
        evaluate(make_model(data["own"]), data["a"], data["a"] / ".." / "faces")


def test_bad_data_sets_are_refused_before_any_is_scored(
    data: dict[str, Path], write_faces: WriteFaces, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="neither a data set"):
        evaluate(make_model(data["own"]), data["a"], tmp_path / "none", output=tmp_path / "scores")
    assert not (tmp_path / "scores").exists()
    with pytest.raises(ConfigError, match="no --data is of that data set"):
        evaluate_across(make_model(data["own"]), [str(data["a"])], {"cefa": "4@1"}, Evaluation(registry()))
