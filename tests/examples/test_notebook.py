"""`examples/notebook.ipynb` runs from first to last cell, and its functions do what commands do."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fas_core

Namespace = dict[str, Any]


def run_cells(path: Path) -> Namespace:
    """Run the code cells in their order, as a notebook does, and show what their last lines give."""
    namespace: Namespace = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, str(path), "exec"), namespace)
        if last is not None:
            assert repr(eval(compile(ast.Expression(last.value), str(path), "eval"), namespace))
    return namespace


@pytest.fixture(scope="module")
def namespace(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """What the cells leave, in the folder that they ran in; do not change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("notebook"))
        yield run_cells(repository / "examples" / "notebook.ipynb")


@pytest.fixture
def evaluated(namespace: Namespace, fas: Callable[..., Any]) -> Callable[..., Any]:
    """What `fas eval` gives for the cell that evaluates the run."""
    path = namespace["run"].path
    return lambda *flags: fas("eval", path, "--group-by", "species", "--replicates", 100, *flags)


def test_the_notebook_is_saved_without_outputs(repository: Path) -> None:
    cells = json.loads((repository / "examples" / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_train_returns_the_finished_run(namespace: Namespace) -> None:
    run = namespace["run"]
    assert isinstance(run, fas_core.Run)
    assert run.is_finished()
    assert (run.path, run.recipe) == (Path("runs/first"), namespace["recipe"])


def test_a_result_shows_the_tables_that_the_command_prints(
    namespace: Namespace, evaluated: Callable[..., Any]
) -> None:
    shown = repr(namespace["result"]).splitlines()
    printed = evaluated().stdout.splitlines()
    assert len(shown) > 10
    assert [line for line in shown if line and line not in printed] == []


def test_the_data_frame_has_the_figures_of_the_json_document(
    namespace: Namespace, evaluated: Callable[..., Any]
) -> None:
    document, frame = json.loads(evaluated("--json").stdout), namespace["figures"]
    results = [document, *document["groups"]["results"]]
    assert list(frame["name"].unique()) == [each["name"] for each in results]
    rows = {(name, metric): tuple(rest) for name, metric, *rest in frame.itertuples(index=False)}
    assert len(rows) == sum(len(each["metrics"]) for each in results)
    for each in results:
        for metric, value in each["metrics"].items():
            bounds = each["intervals"]["figures"].get(metric) or (None, None)
            assert rows[each["name"], metric] == pytest.approx(
                tuple(float("nan") if item is None else item for item in (value, *bounds)), nan_ok=True
            )


def test_the_result_has_what_the_json_document_has(
    namespace: Namespace, evaluated: Callable[..., Any]
) -> None:
    document = json.loads(evaluated("--json").stdout)
    written = namespace["result"].to_json()
    assert {key: written[key] for key in ("split", "samples", "name", "counts")} == {
        key: document[key] for key in ("split", "samples", "name", "counts")
    }
    assert namespace["result"].metrics["acer"] == document["metrics"]["acer"]
    assert namespace["result"].threshold.value == document["threshold"]["value"]


def test_the_exported_file_scores_as_the_run_does(namespace: Namespace) -> None:
    assert namespace["exported"].path == Path("runs/first/model.onnx")
    assert namespace["prediction"].score == pytest.approx(namespace["row"]["score"], abs=1e-3)
    assert namespace["prediction"].threshold == namespace["result"].threshold.value


def test_the_same_split_by_the_file_gives_the_same_scores(namespace: Namespace) -> None:
    result = fas_core.evaluate(namespace["exported"].path, data="synthetic:faces", replicates=0)
    assert result.scores.scores == pytest.approx(namespace["result"].scores.scores, abs=1e-3)
    assert result.figures is not None
    assert result.figures.groups == ()


def test_mistakes_are_errors_of_fas(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    run = namespace["run"]
    with pytest.raises(fas_core.FasError, match="holds a run"):
        fas_core.train(namespace["recipe"], name="first")
    with pytest.raises(fas_core.ConfigError, match="no such option"):
        fas_core.export(run, opsett=11)
    with pytest.raises(fas_core.ConfigError, match="novelty"):
        fas_core.export(run, weights="last", novelty=True)
    with pytest.raises(fas_core.FasError, match="no-such-run"):
        fas_core.evaluate("no-such-run")
    monkeypatch.setattr("fas_core.api.evaluate.load_run", None)  # refused before anything is loaded
    with pytest.raises(fas_core.ConfigError, match=r"group_by 'colour'.*species"):
        fas_core.evaluate(run, group_by="colour")
    with pytest.raises(fas_core.ConfigError, match="eerr"):
        fas_core.evaluate(run, threshold="eerr")


@pytest.mark.long
def test_of_folds_the_final_run_is_returned(namespace: Namespace, tmp_path: Path) -> None:
    run = fas_core.train(namespace["recipe"], runs=tmp_path, folds="subject:2", train={"epochs": 1})
    assert (run.path, run.fitted_on) == (tmp_path / "run" / "final", "out-of-fold subject:2")
    with pytest.raises(fas_core.ConfigError, match=r"train\.select"):
        fas_core.train(namespace["recipe"], runs=tmp_path, folds="subject:2", train={"select": "best"})
