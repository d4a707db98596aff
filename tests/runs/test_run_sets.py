"""Sets of runs below one folder: of sub-protocols, and of random seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, FasError
from fas_core.registry import registry
from fas_core.runs.groups import open_runs
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.runs.run_sets import ProtocolRuns, SeedRuns, open_finished

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def protocol_runs(tmp_path: Path, make_recipe: MakeRecipe) -> ProtocolRuns:
    """Two sub-protocols of CeFA; nothing is written yet."""
    recipe = make_recipe(tmp_path, {"data": {"name": "cefa"}})
    return ProtocolRuns(tmp_path / "set", recipe, registry(), "cefa-4", ("4@1", "4@2"))


@pytest.fixture
def seed_runs(tmp_path: Path, make_recipe: MakeRecipe) -> SeedRuns:
    """Seeds 14 and 16; nothing is written yet."""
    return SeedRuns(tmp_path / "seeds", make_recipe(tmp_path), registry(), (14, 16))


def finish(run: Run) -> None:
    """Write what a run of two epochs leaves, but for weights and scores."""
    run.create()
    run.append_metrics({"epoch": 2})
    write_results(run.path, {"train_hours": 1.0})


def test_protocols_are_read_back_and_not_overwritten(protocol_runs: ProtocolRuns) -> None:
    protocol_runs.create()
    assert open_runs(protocol_runs.path, registry()) == protocol_runs
    with pytest.raises(FasError, match="holds runs"):
        protocol_runs.create()
    protocol_runs.write()


def test_the_runs_of_protocols_differ_in_the_protocol(protocol_runs: ProtocolRuns) -> None:
    first, second = (protocol_runs.run(member) for member in protocol_runs.members)
    assert (first.path.name, second.path.name) == ("4@1", "4@2")
    assert second == Run(second.path, first.changed({"data.protocol": "4@2"}).recipe, registry())
    assert first.recipe != second.recipe


def test_an_empty_set_of_protocols_is_refused(protocol_runs: ProtocolRuns) -> None:
    evolve(protocol_runs, sub_protocols=()).create()
    with pytest.raises(ConfigError, match="must have protocol, members and recipe"):
        ProtocolRuns.open(protocol_runs.path, registry())


def test_unfinished_runs_are_named(protocol_runs: ProtocolRuns) -> None:
    with pytest.raises(FasError, match="4@1 and 4@2 not trained to the end"):
        protocol_runs.runs()
    runs = {member: protocol_runs.run(member) for member in protocol_runs.members}
    finish(runs["4@1"])
    with pytest.raises(FasError, match=f"{protocol_runs.path}: 4@2 not trained to the end"):
        open_finished(protocol_runs.path, runs)
    finish(runs["4@2"])
    assert protocol_runs.runs() == runs


@pytest.mark.parametrize("member", ["../elsewhere", "/etc", "..", "a/b", ""])
def test_a_set_has_no_runs_outside_its_folder(protocol_runs: ProtocolRuns, member: str) -> None:
    evolve(protocol_runs, sub_protocols=("4@1", member)).write()
    with pytest.raises(ConfigError, match="members must be names of folders in"):
        ProtocolRuns.open(protocol_runs.path, registry())


def test_seeds_are_read_back_and_not_overwritten(seed_runs: SeedRuns) -> None:
    seed_runs.create()
    assert open_runs(seed_runs.path, registry()) == seed_runs
    with pytest.raises(FasError, match="holds runs"):
        seed_runs.create()


def test_the_runs_of_seeds_differ_in_the_seed(seed_runs: SeedRuns) -> None:
    runs = [seed_runs.run(member) for member in seed_runs.members]
    assert [run.path.name for run in runs] == ["seed-14", "seed-16"]
    assert [run.recipe.train.seed for run in runs] == [14, 16]
    assert runs[0].recipe == runs[1].changed({"train.seed": 14}).recipe


@pytest.mark.parametrize("seeds", ["", "[]", "[14, 14]", "[-1]", "[true]", "[a]", "14"])
def test_a_changed_seeds_file_is_refused(seed_runs: SeedRuns, seeds: str) -> None:
    seed_runs.create()
    file = seed_runs.path / "seeds.yaml"
    text = file.read_text()
    assert "seeds: [14, 16]" in text
    file.write_text(text.replace("seeds: [14, 16]", f"seeds: {seeds}"))
    with pytest.raises(ConfigError, match="must have recipe and seeds, different whole numbers"):
        SeedRuns.open(seed_runs.path, registry())
