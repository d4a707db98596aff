"""Runs and score files as sources, and what is known of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, DataError
from fas_core.registry import registry
from fas_plugins.commands.report.score_source import SourceOptions
from fas_plugins.commands.report.sources import open_sources, select_metrics


def test_each_score_file_has_its_own_dev(tmp_path: Path, evaluate: Any, write_scores: Any) -> None:
    one, two = write_scores(tmp_path / "one.csv"), write_scores(tmp_path / "two.csv")
    with pytest.raises(ConfigError, match="1 --dev for 2 score files"):
        evaluate(one, two, dev=[write_scores(tmp_path / "dev.csv", prefix="d")])
    with pytest.raises(DataError, match="30 ids are in"):
        evaluate(one, dev=[two])


def test_photos_of_other_samples_are_not_used(run: Path, tmp_path: Path, evaluate: Any) -> None:
    for kind in ("live", "attack/print"):
        (tmp_path / "test" / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "test" / kind / "00_rgb.png"), np.zeros((8, 8, 3), np.uint8))
    (moved,) = evaluate(run, data=f"folder:{tmp_path}")
    assert isinstance(moved.photos, str)
    assert "now holds other samples" in moved.photos


def test_a_run_without_scores_of_the_split(make_run: Any, evaluate: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "scores" / "test.csv").unlink()
    with pytest.raises(DataError, match=r"no scores of split 'test' \(there are: dev\)"):
        evaluate(run)
    (run / "scores" / "dev.csv").unlink()
    with pytest.raises(DataError, match=r"no scores yet: finish it by `fas train --resume"):
        evaluate(run)


def test_a_run_is_evaluated_with_its_threshold_notes_and_training_record(run: Path, evaluate: Any) -> None:
    (system,) = evaluate(run)
    assert (system.result.threshold.policy, system.result.threshold.source) == ("eer", "dev")
    assert "a note of the run" in system.result.notes
    assert system.training.train_hours == 1.5
    assert [line["epoch"] for line in system.training.history] == [1, 2]
    assert set(system.photos.modalities) == {"rgb", "depth"}


def test_a_score_file_has_a_threshold_only_with_dev_scores_or_a_policy(
    evaluate: Any, write_scores: Any, tmp_path: Path
) -> None:
    file, dev = (
        write_scores(tmp_path / "test.csv", prefix="t"),
        write_scores(tmp_path / "dev.csv", prefix="d"),
    )
    assert evaluate(file)[0].threshold is None
    assert evaluate(file, dev=[dev])[0].result.threshold.source == "dev"
    assert evaluate(file, policy="fixed:0.25")[0].threshold == 0.25


def test_metrics_come_from_the_first_run(run: Path, write_scores: Any, tmp_path: Path) -> None:
    sources = open_sources([write_scores(tmp_path / "scores.csv"), run], SourceOptions(), registry())
    assert sources[1].run is not None
    assert select_metrics(sources) == sources[1].run.recipe.metrics
    assert select_metrics(sources[:1]) == Recipe().metrics


@pytest.mark.parametrize(("content", "message"), [("{", "not JSON"), ("[]", "not what `fas train` writes")])
def test_a_damaged_results_file(
    make_run: Any, evaluate: Any, tmp_path: Path, content: str, message: str
) -> None:
    run = make_run(tmp_path / "run")
    (run / "results.json").write_text(content)
    with pytest.raises(DataError, match=message):
        evaluate(run)
