"""Dotted paths of the last release still lead to the same objects, and say where they are now."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

import fas_core
from fas_core import FasDeprecationWarning
from fas_core.former_paths import MOVED


@pytest.mark.parametrize("name", MOVED)
def test_a_former_path_warns_and_is_the_module_of_now(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, f"fas_core.{name}", raising=False)
    expected = f"module fas_core.{name} is deprecated: use fas_core.{MOVED[name]}$"
    with pytest.warns(FasDeprecationWarning, match=expected) as caught:
        former = import_module(f"fas_core.{name}")
    assert former is import_module(f"fas_core.{MOVED[name]}")
    assert {warning.filename for warning in caught} == {__file__}


def test_an_unknown_path_is_no_module() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("fas_core.engine.nothing")


@pytest.mark.parametrize(
    ("module", "name"),
    [("fas_core.scores", "ScoreTable"), ("fas_core.config", "Recipe"), ("fas_core.testing", "check_loss")],
)
def test_modules_that_became_packages_have_their_names(module: str, name: str) -> None:
    assert getattr(import_module(module), name)


@pytest.mark.parametrize("name", fas_core.__all__)
def test_the_public_api_is_importable(name: str) -> None:
    assert getattr(fas_core, name) is not None
    assert name in dir(fas_core)


def test_other_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Bakcbone'"):
        _ = fas_core.Bakcbone


def test_the_changelog_lists_what_moved(repository: Path) -> None:
    text = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [name for name, now in MOVED.items() if f"| `{name}` | `{now}` |" not in text] == []
