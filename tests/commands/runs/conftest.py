"""Folders of runs, copied from one that was trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.runs.run_sets import SeedRuns

Copy = Callable[..., Path]


def copy_run(trained: Path, path: Path, eer: float = 0.25, **train: object) -> Path:
    """Copy a run, change its recipe, and let dev's lowest EER be that of epoch 2 of 6."""
    shutil.copytree(trained, path)
    recipe = yaml.safe_load((path / "recipe.yaml").read_text())
    recipe["train"] |= train
    (path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    records = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    for record in records:
        record["dev"] |= {"eer": eer if record["epoch"] == 2 else 0.5, "acer": record["epoch"] / 100}
    (path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def stop_run(path: Path, epoch: int) -> Path:
    """Let a run be one that was stopped after an epoch."""
    lines = (path / "metrics.jsonl").read_text().splitlines(keepends=True)
    (path / "metrics.jsonl").write_text("".join(lines[:epoch]))
    (path / "results.json").unlink()
    return path


@pytest.fixture(scope="module")
def folder(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs, one stopped after epoch 3, and a group of seeds of which one was begun."""
    folder = tmp_path_factory.mktemp("listed")
    copy_run(trained, folder / "run-10", 0.05, lr=0.01)
    copy_run(trained, folder / "run-2", 0.1, lr=0.02)
    stop_run(copy_run(trained, folder / "deep" / "stopped", 0.2), 3)
    recipe = Run.open(trained, registry()).changed({"tags": ["paper", "new"]}).recipe
    seeds = SeedRuns(folder / "seeds", recipe, registry(), (14, 15))
    seeds.create()
    shutil.copytree(trained, folder / "seeds" / "seed-14")
    seeds.run("seed-14").write_recipe()
    return folder
