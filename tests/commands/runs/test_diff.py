"""`fas runs diff`, as a user types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from fas_core.runs.results import write_results

Fas = Callable[..., Result]


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Path:
    """A copy of run-2 with another environment, other data, another figure, and one figure less."""
    path = shutil.copytree(folder / "run-2", tmp_path / "changed")
    environment = json.loads((path / "environment.json").read_text())
    environment["packages"] |= {"torch": "1.0"}
    environment["plugins"] = {"acme-fas": {"version": "1.5", "components": ["loss hinge"]}}
    (path / "environment.json").write_text(json.dumps(environment))
    results = json.loads((path / "results.json").read_text())
    results["data"]["test"] = "0" * 16
    results["splits"]["test"]["metrics"]["acer"] += 0.25
    del results["splits"]["test"]["metrics"]["auc"]
    write_results(path, {key: results[key] for key in ("train_hours", "threshold", "data", "splits")})
    return path


def compare(fas: Fas, *arguments: object) -> dict:
    result = fas("runs", "diff", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_recipes_differ_by_dotted_paths(fas: Fas, folder: Path) -> None:
    document = compare(fas, folder / "run-10", folder / "run-2")
    assert document["recipe"] == {"train.lr": {"a": 0.01, "b": 0.02}}
    assert document["data"] == document["environment"] == {}
    assert document["figures"] == {"dev": {}, "test": {}}


def test_data_environment_and_figures_differ(fas: Fas, folder: Path, changed: Path) -> None:
    document = compare(fas, folder / "run-2", changed)
    own = json.loads((folder / "run-2" / "results.json").read_text())
    assert document["recipe"] == {}
    assert document["data"] == {"test": {"a": own["data"]["test"], "b": "0" * 16}}
    assert document["environment"]["torch"]["b"] == "1.0"
    assert document["environment"]["acme-fas"] == {"b": "1.5"}
    metrics = own["splits"]["test"]["metrics"]
    assert document["figures"] == {
        "dev": {},
        "test": {
            "acer": {"a": metrics["acer"], "b": metrics["acer"] + 0.25},
            "auc": {"a": metrics["auc"]},
        },
    }


def test_tables_show_what_differs_and_say_what_does_not(fas: Fas, folder: Path, changed: Path) -> None:
    result = fas("runs", "diff", folder / "run-2", changed)
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "run-2 changed" in lines
    assert "acme-fas - 1.5" in lines
    (acer,) = [line for line in lines if line.startswith("ACER pooled")]
    assert acer.endswith("+25.00")
    assert "the same: recipe" in lines
    assert not any(line.startswith("dev, rates") for line in lines)


def test_of_an_unfinished_run_recipe_and_environment_are_compared(fas: Fas, folder: Path) -> None:
    document = compare(fas, folder / "run-10", folder / "deep" / "stopped")
    assert document["recipe"]["train.lr"]["a"] == 0.01
    assert document["data"] is None
    assert document["figures"] is None
    shown = fas("runs", "diff", folder / "run-10", folder / "deep" / "stopped").stdout
    assert "not compared, as a run is not finished: data, figures" in shown


def test_equal_runs_are_the_same(fas: Fas, folder: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(folder / "run-2", tmp_path / "copy")
    result = fas("runs", "diff", folder / "run-2", copied)
    assert result.stdout == "the same: recipe, data, environment, figures\n"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("none", "no such run folder"),
        ("seeds", "holds several runs: give one of them, see `fas runs list"),
        ("deep", "not a run folder"),
        ("run-2", "given twice"),
    ],
)
def test_a_mistake_is_one_line(fas: Fas, folder: Path, other: str, message: str) -> None:
    result = fas("runs", "diff", folder / "run-2", folder / other)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
