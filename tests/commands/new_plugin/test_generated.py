"""A generated plugin of each kind: built, installed beside the wheel in an environment, tested and used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from fas_core.descriptors import KINDS
from fas_plugins.commands.new_plugin.project import write_project

pytestmark = pytest.mark.long

RECIPE = {
    "data": {"name": "synthetic", "subjects": 9, "shots": 1, "size": 48},
    "modalities": ["rgb", "depth"],
    "model": {"backbone": "my-backbone", "fusion": "my-fusion", "input_size": 32},
    "loss": {"name": "my-loss", "margin": 0.5},
    "augment": ["crop", "my-augmentation"],
    "metrics": ["acer", {"name": "my-metric", "quantile": 0.25}],
    "train": {
        "epochs": 1,
        "batch_size": 8,
        "workers": 0,
        "device": "cpu",
        "optimizer": "my-optimizer",
        "schedule": {"name": "my-schedule", "final": 0.5},
        "trackers": [{"name": "my-tracker", "file": "log.txt"}],
    },
}

CHOSEN = ("augmentation", "backbone", "fusion", "loss", "metric", "optimizer", "schedule", "tracker")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of a generated distribution for each kind."""
    folder = tmp_path_factory.mktemp("sources")
    return {kind: write_project(f"my-{kind}", kind, folder)[0] for kind in KINDS}


@pytest.fixture(scope="module")
def environment(
    sources: dict[str, Path],
    new_environment: Callable[[Path], Any],
    distribution: Any,
    build: Callable[[Path, str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """An environment with the wheels of fas-core and of all of them."""
    made = new_environment(tmp_path_factory.mktemp("environment"))
    made.install(distribution.wheel, *(build(source, "wheel") for source in sources.values()))
    return made


@pytest.fixture(scope="module")
def run(environment: Any) -> Path:
    """A run that was trained with the generated components."""
    (environment.path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    cache = str(environment.path / "cache")
    environment.fas("train", "recipe.yaml", "--runs", "runs", "--json", FAS_CACHE_DIR=cache)
    path: Path = environment.path / "runs" / "recipe"
    return path


def test_all_are_listed(environment: Any) -> None:
    rows = json.loads(environment.fas("plugins", "list", "--json").stdout)["plugins"]
    mine = {row["kind"]: row for row in rows if row["name"] == f"my-{row['kind']}"}
    assert mine.keys() == KINDS.keys()
    assert all((row["status"], row["version"]) == ("active", "0.1.0") for row in mine.values())


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass(environment: Any, sources: dict[str, Path], kind: str) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", environment.path, "-W", "error"]
    done = environment.run(environment.python, "-m", "pytest", *options, sources[kind] / "tests")
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_its_contract(environment: Any, kind: str) -> None:
    shown = json.loads(environment.fas("plugins", "check", f"fas-my-{kind}", "--json").stdout)
    statuses = {item["kind"]: item["status"] for item in shown["components"]}
    expected = {kind: "not checked" if kind == "dataset" else "passed"}
    assert statuses == (
        expected | {"exporter": "passed"} if kind == "runtime" else expected
    )  # it writes its files


def test_a_run_is_trained_with_them(run: Path) -> None:
    metrics = json.loads((run / "results.json").read_text())["splits"]["test"]["metrics"]
    assert 0 <= metrics["my-metric"] <= 1
    assert (run / "log.txt").read_text().startswith("begins: 1 epochs on cpu\n")
    needed = json.loads((run / "environment.json").read_text())["plugins"]
    assert {f"fas-my-{kind}" for kind in CHOSEN} <= set(needed)


def test_its_weights_are_exported(environment: Any, run: Path) -> None:
    environment.fas("export", run, "--format", "my-exporter", "-o", "model.npz")
    assert (environment.path / "model.npz").is_file()


def test_a_packed_file_is_written_and_opened(environment: Any, run: Path) -> None:
    environment.fas("export", run, "--format", "my-runtime", "-o", "model.onnx.gz", "--keep-data-root")
    done = environment.fas("eval", "model.onnx.gz", "--split", "dev", "--json")
    assert "my-metric" in json.loads(done.stdout)["metrics"]


def test_a_recipe_is_known_by_its_name(environment: Any) -> None:
    recipe = json.loads(environment.fas("config", "show", "my-recipe", "--json").stdout)
    assert recipe["train"]["epochs"] == 20


def test_its_scores_are_counted(environment: Any, run: Path) -> None:
    (scores,) = run.rglob("*test*.csv")
    counts = json.loads(environment.fas("my-command", scores, "--json").stdout)
    assert counts["live"]["samples"] > 0
    assert "fas my-command" in environment.fas("my-command", "--help").stdout


def test_its_data_set_is_known_by_its_index(environment: Any) -> None:
    folder, rng = environment.path / "photos", np.random.default_rng(14)
    folder.mkdir()
    lines = []
    for split in ("train", "dev", "test"):
        for label in ("live", "attack"):
            file = f"{split}-{label}.png"
            cv2.imwrite(str(folder / file), rng.integers(0, 256, (64, 64, 3), np.uint8))
            lines.append(json.dumps({"file": file, "split": split, "label": label}))
    (folder / "my-dataset.jsonl").write_text("\n".join(lines))
    (checked,) = json.loads(environment.fas("data", "check", folder, "--json").stdout).values()
    assert checked["ok"]
    assert {count["split"] for count in checked["counts"]} == {"train", "dev", "test"}


def test_its_models_are_listed(environment: Any) -> None:
    assert "my-catalogue-minifas" in environment.fas("models", "list", "--public").stdout
