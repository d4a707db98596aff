"""A run's folder is removed while it is trained: one line, and it does not come back in parts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from fixtures.updates import after_each_update

from fas_core.inference import evaluate_split
from fas_core.training import convex, dev

Fas = Callable[..., Result]
SCORING = {"features": (convex, "capture_input"), "dev": (dev, "score_samples")}
SCORING |= {"splits": (evaluate_split, "score_split")}
CONVEX = ("train.solver=convex", "train.C=0.01", "model.backbone={name: feathernet_a, head: linear}")


@pytest.fixture
def remove_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
    """`remove_at(moment, folder)`: have a folder removed after an update, or before scores are computed."""

    def act(moment: str, folder: Path) -> None:
        def score(*arguments: Any, **options: Any) -> object:
            shutil.rmtree(folder)
            return scoring(*arguments, **options)

        module, name = SCORING.get(moment, (None, ""))
        if module is None:
            after_each_update(monkeypatch, lambda _, number: shutil.rmtree(folder) if number == 1 else None)
        else:
            scoring = getattr(module, name)
            monkeypatch.setattr(module, name, score)

    return act


@pytest.mark.parametrize("moment", ["update", *SCORING])
def test_a_run_whose_folder_is_removed_ends_in_a_line(
    fas: Fas, recipe_file: Path, tmp_path: Path, remove_at: Callable[[str, Path], None], moment: str
) -> None:
    remove_at(moment, tmp_path / "runs" / "tiny")
    sets = [word for text in CONVEX for word in ("--set", text)] if moment == "features" else []
    result = fas("train", recipe_file, "--runs", tmp_path / "runs", "-q", *sets)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert "tiny: cannot be written: no such folder; was it removed during the run?" in result.stderr
    assert list(tmp_path.rglob("*")) == [tmp_path / "runs"]
