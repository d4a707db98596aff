"""`fas plugins new`: what it writes works as it is, for every kind."""

from __future__ import annotations

import importlib
import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from packaging.requirements import Requirement

from fas_core import API_VERSION, __version__
from fas_core.component import Component
from fas_core.descriptors import KINDS
from fas_core.discovery import check_api_version
from fas_core.hookspecs import bind_hooks
from fas_core.registry import registry
from fas_core.testing import check_component
from fas_plugins.commands.new_plugin.project import TEMPLATES

UNCHECKED = ("dataset", "runtime")
"""They need data, or an installed exporter: their own tests check them, see `test_generated.py`."""

Fas = Callable[..., Result]
New = Callable[[str], Path]


@pytest.fixture
def new(fas: Fas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[New]:
    """`new(kind)`: the folder of a new distribution, whose package can be imported."""
    written: list[Path] = []

    def write(kind: str) -> Path:
        result = fas("plugins", "new", "soft-thing", "--kind", kind, "--into", tmp_path)
        assert result.exit_code == 0, result.output
        monkeypatch.syspath_prepend(tmp_path / "fas-soft-thing")
        written.append(tmp_path / "fas-soft-thing")
        return written[-1]

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "fas_soft_thing"]:
        del sys.modules[name]


def read_project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())


def load_component(folder: Path, kind: str) -> Component:
    (module,) = read_project(folder)["project"]["entry-points"]["fas"].values()
    (component,) = getattr(bind_hooks(importlib.import_module(module), module), KINDS[kind].hook)()[0]
    assert isinstance(component, Component)
    return component


def test_every_kind_has_a_template() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == {*KINDS, "common"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_component_keeps_its_contract(new: New, kind: str) -> None:
    component = load_component(new(kind), kind)
    assert (component.kind, component.name) == (kind, "soft-thing")
    assert component.summary
    checked = check_component(component)
    assert checked.status == ("not checked" if kind in UNCHECKED else "passed"), checked.broken


@pytest.mark.parametrize("kind", KINDS)
def test_the_distribution_is_complete(new: New, kind: str) -> None:
    folder = new(kind)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    package, tests = "fas_soft_thing", [name for name in files if name.startswith("tests/test_")]
    assert {"pyproject.toml", "README.md", "tox.ini", f"{package}/__init__.py", f"{package}/py.typed"} < files
    assert len(tests) == 1
    project = read_project(folder)["project"]
    (requirement,) = map(Requirement, project["dependencies"])
    assert requirement.name == "fas-core"
    assert requirement.specifier.contains(__version__, prereleases=True)
    assert project["description"] in (folder / "README.md").read_text()
    ConfigParser(interpolation=None).read(folder / "tox.ini", encoding="utf-8")
    check_api_version(importlib.import_module(package).FAS_API, package)
    assert importlib.import_module(package).FAS_API == API_VERSION
    for name in files:
        text = (folder / name).read_text()
        assert "$" not in text.replace("$ ", "")
        if name.endswith(".py"):
            compile(text, name, "exec")


def test_the_module_of_the_hooks_imports_nothing_heavy() -> None:
    for kind in KINDS:
        about = (TEMPLATES / kind / "package" / "__init__.py.tmpl").read_text()
        modules = [line.split()[1] for line in about.splitlines() if line.startswith(("import ", "from "))]
        assert {name.partition(".")[0] for name in modules} <= {
            "__future__",
            "collections",
            "fas_core",
            "$package",
        }


def test_what_was_written_is_listed(fas: Fas, tmp_path: Path) -> None:
    result = fas("plugins", "new", "fas_hinge2", "--kind", "loss", "--into", tmp_path, "--json")
    document = json.loads(result.stdout)
    assert document["folder"] == str(tmp_path / "fas-hinge2")
    assert "fas_hinge2/loss.py" in document["files"]
    assert all((tmp_path / "fas-hinge2" / name).is_file() for name in document["files"])
    people = fas("plugins", "new", "other", "--kind", "metric", "--into", tmp_path).stdout
    assert people.splitlines()[
        -1
    ] == f"next: pip install -e '{tmp_path / 'fas-other'}[test]' && pytest " + str(tmp_path / "fas-other")


@pytest.mark.parametrize(
    ("name", "kind", "error"),
    [
        ("Soft Hinge", "loss", "plugin name 'Soft Hinge': use lower-case letters and digits"),
        ("fas-", "loss", "plugin name 'fas-': use lower-case"),
        ("../x", "loss", "plugin name '../x': use lower-case"),
        ("focal", "loss", "loss 'focal' is provided by plugin 'losses' of fas-core"),
        ("train", "command", "command 'train' is one of fas-core: choose another name"),
        ("score", "command", "command 'score' is provided by plugin 'commands' of fas-core"),
        ("core", "loss", "the package fas_core is installed already: choose another name"),
        ("plugins", "metric", "the package fas_plugins is installed already"),
    ],
)
def test_a_bad_name_is_one_line(fas: Fas, tmp_path: Path, name: str, kind: str, error: str) -> None:
    result = fas("plugins", "new", name, "--kind", kind, "--into", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {error}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(fas: Fas, tmp_path: Path) -> None:
    (tmp_path / "fas-mine").mkdir()
    result = fas("plugins", "new", "mine", "--kind", "loss", "--into", tmp_path)
    assert result.exit_code == 2
    assert "fas-mine exists: choose another name, or another folder by --into" in result.stderr
    assert list((tmp_path / "fas-mine").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(fas: Fas, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = fas("plugins", "new", "mine", "--kind", "loss", "--into", tmp_path / "file")
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)


def test_an_unknown_kind_is_one_line(fas: Fas, tmp_path: Path) -> None:
    result = fas("plugins", "new", "mine", "--kind", "lose", "--into", tmp_path)
    assert result.exit_code == 2
    assert "lose" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_name_of_another_kind_is_free(fas: Fas, tmp_path: Path) -> None:
    assert "focal" in registry().names(KINDS["loss"])
    assert fas("plugins", "new", "focal", "--kind", "metric", "--into", tmp_path).exit_code == 0
