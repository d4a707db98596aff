"""Which systems of a report get an explainer, and what the others get instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from attrs import evolve

from fas_core.evaluation.metrics import BoundMetric
from fas_core.registry import registry
from fas_core.runtime.explain import Explainer
from fas_plugins.commands.report import explainers
from fas_plugins.commands.report.explainers import open_explainers
from fas_plugins.commands.report.score_source import ScoreSource, SourceOptions
from fas_plugins.commands.report.sources import evaluate_source, open_sources
from fas_plugins.commands.report.systems import EvaluatedSystem

Open = Callable[..., tuple[Sequence[ScoreSource], Sequence[EvaluatedSystem]]]


@pytest.fixture
def open_systems(metrics: list[BoundMetric]) -> Open:
    """`open_systems(*paths, policy=None)`: the sources and the systems, each named as its file or folder."""

    def open_paths(
        *paths: Path, policy: str | None = None
    ) -> tuple[list[ScoreSource], list[EvaluatedSystem]]:
        options = SourceOptions(policy=policy, replicates=0)
        sources = open_sources(paths, options, registry())
        systems = [
            evaluate_source(source, source.path.stem, metrics, options, registry()) for source in sources
        ]
        return sources, systems

    return open_paths


def test_a_run_has_an_explainer_and_torch_one_thread_meanwhile(trained: Path, open_systems: Open) -> None:
    sources, systems = open_systems(trained)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with open_explainers(sources, systems) as opened:
            assert isinstance(opened["tiny"], Explainer)
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_a_run_without_weights_has_a_sentence(run: Path, open_systems: Open) -> None:
    with open_explainers(*open_systems(run)) as opened:
        reason = opened["one"]
    assert isinstance(reason, str)
    assert "best.safetensors" in reason
    assert "\n" not in reason


def test_a_missing_package_is_a_sentence(
    run: Path, open_systems: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    require = explainers.require
    monkeypatch.setattr(explainers, "require", lambda extra, *_: require(extra, "no_such_module"))
    with open_explainers(*open_systems(run)) as opened:
        assert opened == {"one": "this needs no_such_module: pip install 'fas-core[train]'"}


def test_a_score_file_is_absent(
    write_scores: Callable[..., Path], tmp_path: Path, open_systems: Open
) -> None:
    sources, systems = open_systems(write_scores(tmp_path / "scores.csv"), policy="fixed:0.5")
    assert systems[0].threshold == 0.5
    with open_explainers(sources, systems) as opened:
        assert opened == {}


def test_a_run_without_photos_or_threshold_is_absent(run: Path, open_systems: Open) -> None:
    sources, (system,) = open_systems(run)
    without_threshold = evolve(system, result=evolve(system.result, threshold=None))
    for incomplete in (evolve(system, photos="The photos are missing."), without_threshold):
        with open_explainers(sources, [incomplete]) as opened:
            assert opened == {}


def test_sources_and_systems_must_match(run: Path, open_systems: Open) -> None:
    sources, _ = open_systems(run)
    with pytest.raises(ValueError, match="shorter"), open_explainers(sources, []):
        pass
