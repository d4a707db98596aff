"""Training curves by epoch, with the epoch whose weights were saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fas_plugins.commands.report.html.training import plot_training


def write_history(run: Path, *lines: Mapping[str, Any]) -> Path:
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def test_the_best_epoch_is_marked(make_run: Callable[..., Path], evaluate: Any, tmp_path: Path) -> None:
    loss, eer = plot_training(evaluate(make_run(tmp_path / "run")))
    assert (loss.name, eer.name) == ("training-loss", "training-eer")
    assert "run: 0.5 in epoch 1, whose weights were kept" in loss.text
    assert "run: 30 % in epoch 1, whose weights were kept" in eer.text
    assert list(loss.figure.axes[0].lines[0].get_ydata()) == [0.5, 0.25]


def test_without_dev_the_last_epoch_is_marked(
    make_run: Callable[..., Path], evaluate: Any, tmp_path: Path
) -> None:
    run = write_history(
        make_run(tmp_path / "run"),
        {"epoch": 1, "loss": 0.5, "dev": None},
        {"epoch": 2, "loss": 0.4, "dev": None},
        {"epoch": 3, "loss": None, "dev": None},
    )
    (loss,) = plot_training(evaluate(run))
    assert "run: 0.4 in epoch 2" in loss.text


def test_score_files_have_no_curves(evaluate: Any, write_scores: Any, tmp_path: Path) -> None:
    assert plot_training(evaluate(write_scores(tmp_path / "scores.csv"))) == []
