"""What differs between what a run was trained with and what it would be trained with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from fixtures.two_splits import TwoSplits

from fas_core.config.recipe import Recipe
from fas_core.data.fingerprint import SplitFingerprint
from fas_core.registry import registry
from fas_core.runs.conditions import Conditions
from fas_core.runs.run import Run

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def run(make_recipe: MakeRecipe, tmp_path: Path) -> Run:
    return Run(tmp_path / "run", make_recipe(tmp_path), registry())


@pytest.fixture
def before(run: Run) -> Conditions:
    return Conditions.of(run, TwoSplits())


def test_nothing_differs_at_once(run: Run, before: Conditions) -> None:
    assert Conditions.of(run, TwoSplits()).compare(before, registry()).lines == ()


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("train.lr", 0.5, "recipe: train.lr: 0.5, was 0.02"),
        ("train.seed", 3, "recipe: train.seed: 3, was 14"),
        ("train.layer_lr", {"backbones": 0.1}, "recipe: train.layer_lr.backbones: 0.1, was none"),
        ("train.reduced_decoding", True, "recipe: train.reduced_decoding: True, was False"),
        ("augment.flip", 0.25, "recipe: augment.flip: 0.25, was 0.5"),
        ("threshold", "fixed:0.25", "recipe: threshold: fixed:0.25, was eer"),
    ],
)
def test_another_recipe_is_decisive(run: Run, before: Conditions, key: str, value: Any, line: str) -> None:
    found = Conditions.of(run.changed({key: value}), TwoSplits()).compare(before, registry())
    assert (found.decisive, found.harmless) == ((line,), ())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.epochs", 99),
        ("train.workers", 5),
        ("train.cache", "/elsewhere"),
        ("train.device", "cuda"),
        ("data.root", "/elsewhere"),
        ("tags", ["paper"]),
    ],
)
def test_what_resuming_may_change_is_no_difference(
    run: Run, before: Conditions, key: str, value: Any
) -> None:
    assert Conditions.of(run.changed({key: value}), TwoSplits()).compare(before, registry()).lines == ()


def test_keys_that_an_earlier_recipe_lacks_have_their_default(before: Conditions) -> None:
    """As after an update that brings an option."""
    train = {key: value for key, value in before.recipe["train"].items() if key != "judge_every"}
    former = evolve(before, recipe={**before.recipe, "train": train})
    assert before.compare(former, registry()).lines == ()


@pytest.mark.parametrize("name", ["fas-core", "torch", "numpy", "opencv-python-headless"])
def test_another_version_of_what_computes_figures_is_decisive(before: Conditions, name: str) -> None:
    now = evolve(before, versions={**before.versions, name: "99.1"})
    found = now.compare(before, registry())
    assert found.decisive == (f"{name}: 99.1, was {before.versions[name]}",)
    assert found.harmless == ()


def test_another_python_is_harmless(before: Conditions) -> None:
    now = evolve(before, versions={**before.versions, "python": "3.99.1"})
    found = now.compare(before, registry())
    assert (found.decisive, found.harmless) == ((), (f"python: 3.99.1, was {before.versions['python']}",))


def test_builds_of_one_version_are_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may move from a CPU to a GPU."""
    found = []
    for build in ("2.13.0+cpu", "2.13.0+cu130"):
        environment = {"packages": {"torch": build}, "python": "3.11.7"}
        monkeypatch.setattr("fas_core.runs.conditions.read_environment", lambda taken=environment: taken)
        found.append(Conditions.of(run, TwoSplits()))
    assert found[0].versions == {"python": "3.11.7", "torch": "2.13.0"}
    assert found[0] == found[1]


@pytest.mark.parametrize(("version", "shown"), [({"acme-fas": "1.6"}, "1.6"), ({}, "none")])
def test_another_version_of_a_plugin_is_decisive(
    before: Conditions, version: dict[str, str], shown: str
) -> None:
    earlier, now = evolve(before, plugins={"acme-fas": "1.5"}), evolve(before, plugins=version)
    assert now.compare(earlier, registry()).decisive == (f"plugin acme-fas: {shown}, was 1.5",)


def test_other_data_is_decisive(before: Conditions) -> None:
    train = before.data["train"]
    data: dict[str, SplitFingerprint] = {"train": evolve(train, sizes="0" * 16, bytes=7), "test": train}
    assert evolve(before, data=data).compare(before, registry()).decisive == (
        "data, train: other files: their sizes differ (7 bytes, were 0)",
        "data: there is no split dev any more",
        "data: there was no split test",
    )
