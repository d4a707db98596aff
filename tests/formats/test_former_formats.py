"""Runs, recipes and exported files that fas 0.1.0 wrote are still read; those of a newer fas are refused.

`written_by_0.1.0/` holds them as they were written, from simulated people; only the weights are left out.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from click.testing import Result

from fas_core.card import FORMAT as NEWEST
from fas_core.config.load import FORMAT, load_recipe
from fas_core.errors import ConfigError, ModelError
from fas_core.registry import registry
from fas_core.runs.groups import FoldRuns, open_path, open_runs
from fas_core.runs.run import Run
from fas_core.runtime import ModelFile

Fas = Callable[..., Result]
FORMER = Path(__file__).parent / "written_by_0.1.0"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return shutil.copytree(FORMER / "run", tmp_path / "run")


def test_a_former_run_opens_with_its_recipe_scores_and_threshold() -> None:
    run = open_runs(FORMER / "run", registry())
    assert isinstance(run, Run)
    assert (run.recipe.modalities, run.recipe.model.input_size) == (("rgb", "depth", "ir"), 64)
    assert run.is_finished()
    results = run.results()["splits"]["dev"]
    threshold = run.threshold()
    assert threshold.value == results["threshold"]["value"]
    scores = run.stored_scores("dev")
    assert scores is not None
    assert scores.rates.equal_error_threshold()[1] == pytest.approx(results["metrics"]["eer"], abs=1e-12)


def test_its_score_files_give_the_figures_that_it_recorded(fas: Fas) -> None:
    scores = FORMER / "run" / "scores"
    shown = fas("score", scores / "test.csv", "--dev", scores / "dev.csv", "--json", "--replicates", 0)
    recorded = json.loads((FORMER / "run" / "results.json").read_text())["splits"]["test"]["metrics"]
    assert json.loads(shown.stdout)["metrics"] == pytest.approx(recorded, nan_ok=True)


def test_its_recipe_is_a_recipe(fas: Fas) -> None:
    assert fas("config", "show", FORMER / "run" / "recipe.yaml").exit_code == 0


def test_former_folds_open() -> None:
    folds = open_runs(FORMER, registry())
    assert isinstance(folds, FoldRuns)
    assert (folds.spec, folds.final, list(folds.fold_runs())) == ("subject:2", True, ["fold-1", "fold-2"])


def test_a_former_model_file_scores_as_it_did() -> None:
    model = open_path(FORMER / "model.onnx", registry())
    assert isinstance(model, ModelFile)
    pixels = {name: np.full((1, 32, 32, 3), value, np.uint8) for name, value in (("rgb", 200), ("depth", 30))}
    assert model(pixels) == pytest.approx([0.50131345], abs=1e-6)
    assert (model.card.input.face_size, model.card.input.network_size) == (32, 32)
    assert (model.card.input.resize.crop, model.card.threshold.policy) == (0.9, "eer")  # type: ignore[union-attr]


def test_what_is_written_now_says_its_format(run: Path) -> None:
    Run.open(run, registry()).write_recipe()
    assert yaml.safe_load((run / "recipe.yaml").read_text())["format"] == FORMAT
    assert Run.open(run, registry()).recipe == Run.open(FORMER / "run", registry()).recipe


@pytest.mark.parametrize("number", [FORMAT + 1, "two"])
def test_a_newer_run_or_recipe_is_refused(run: Path, number: object) -> None:
    file = run / "recipe.yaml"
    file.write_text(f"format: {number}\n{file.read_text()}")
    with pytest.raises(ConfigError, match="upgrade fas-core"):
        Run.open(run, registry())
    with pytest.raises(ConfigError, match="upgrade fas-core"):
        load_recipe(str(file), registry())


def test_a_newer_model_file_is_refused(tmp_path: Path) -> None:
    model = onnx.load(FORMER / "model.onnx")
    for entry in model.metadata_props:
        if entry.key == "fas":
            entry.value = json.dumps(json.loads(entry.value) | {"format": NEWEST + 1})
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(
        ModelError, match=rf"written by a newer fas \(format {NEWEST + 1}\): upgrade fas-core"
    ):
        ModelFile(tmp_path / "model.onnx")
