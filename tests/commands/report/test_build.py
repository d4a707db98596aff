"""Reports built from runs and score files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fas_core.errors import ConfigError, DataError
from fas_core.registry import registry
from fas_plugins.commands.report.build import build_report
from fas_plugins.commands.report.explainers import open_explainers
from fas_plugins.commands.report.score_source import SourceOptions
from fas_plugins.commands.report.sources import open_sources

FEW = SourceOptions(replicates=10)


def test_two_runs_are_compared(run: Path, make_run: Callable[..., Path], tmp_path: Path) -> None:
    other = make_run(tmp_path / "two", seed=5)
    report = build_report([run, other], FEW, registry(), explain=False)
    document = report.to_json()
    assert [system["name"] for system in document["systems"]] == ["one", "two"]
    assert [(item["reference"], item["name"]) for item in document["comparisons"]] == [("one", "two")]
    assert "<title>2 systems</title>" in report.html
    report.write(tmp_path / "new" / "report.html")
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf-8") == report.html


def test_one_run_gives_the_title(run: Path) -> None:
    report = build_report([run], FEW, registry(), worst=0)
    assert "<title>one</title>" in report.html
    assert report.comparisons == []


def test_a_wrong_policy_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ConfigError, match="threshold 'best'"):
        build_report([Path("/no/such/run")], SourceOptions(policy="best"), registry())


def test_duplicate_targets_are_refused(run: Path) -> None:
    with pytest.raises(DataError, match="given twice"):
        build_report([run, run], FEW, registry())


def test_a_run_without_weights_has_no_explainer(
    run: Path, write_scores: Any, evaluate: Any, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    paths = [run, write_scores(tmp_path / "scores.csv")]
    sources, systems = open_sources(paths, FEW, registry()), evaluate(*paths, policy="fixed:0.5")
    with open_explainers(sources, systems) as explainers:
        assert list(explainers) == ["one"]
        assert str(run / "best.safetensors") in str(explainers["one"])
