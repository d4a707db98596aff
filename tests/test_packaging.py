"""What is built holds what is in the tree, and an editable install finds it too."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from configparser import ConfigParser
from email import message_from_string
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LINK_TARGET = re.compile(r"\]\(([^)\s]+)\)")
PACKAGES = {"fas_core": "fas_core", "plugins": "fas_plugins", "configs": "fas_configs"}
"""Folder in the repository -> package that it installs as."""
PATTERNS = ("*.py", "*.yaml", "*.j2", "*.css", "*.js", "*.html", "*.svg", "py.typed", "*.tmpl", "about.toml")


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def in_wheel(distribution: Any) -> set[str]:
    with zipfile.ZipFile(distribution.wheel) as wheel:
        return set(wheel.namelist())


@pytest.fixture(scope="module")
def sources(distribution: Any) -> set[str]:
    """Every file that belongs into the wheel, by its installed name."""
    found = {"fas_program.py"}
    for folder, package in PACKAGES.items():
        root = distribution.source / folder
        for pattern in PATTERNS:
            found |= {f"{package}/{path.relative_to(root).as_posix()}" for path in root.rglob(pattern)}
    return found


def test_the_list_of_packages_is_the_folders(project: dict[str, Any], repository: Path) -> None:
    found = set()
    for folder, package in PACKAGES.items():
        for path in (repository / folder).rglob("__init__.py"):
            found.add(".".join((package, *path.parent.relative_to(repository / folder).parts)))
    listed = project["tool"]["setuptools"]["packages"]
    assert set(listed) == found
    assert len(set(listed)) == len(listed)


def test_every_folder_of_modules_is_a_package(repository: Path) -> None:
    for folder in PACKAGES:
        for path in (repository / folder).rglob("*.py"):
            assert (path.parent / "__init__.py").is_file(), f"{path.parent} has no __init__.py"


def test_the_wheel_holds_every_module_recipe_and_marker(in_wheel: set[str], sources: set[str]) -> None:
    assert {name for name in in_wheel if ".dist-info/" not in name} == sources
    assert {"fas_core/py.typed", "fas_plugins/py.typed", "fas_configs/quickstart.yaml"} <= in_wheel


def test_the_wheel_says_who_it_is(distribution: Any, project: dict[str, Any]) -> None:
    with zipfile.ZipFile(distribution.wheel) as wheel:
        (info,) = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
        entry_points = wheel.read(f"{info}/entry_points.txt").decode()
        licence = wheel.read(f"{info}/licenses/LICENSE").decode()
        metadata = wheel.read(f"{info}/METADATA").decode()
    assert "[console_scripts]\nfas = fas_program:run" in entry_points
    for name, value in project["project"]["entry-points"]["fas"].items():
        assert f"{name} = {value}" in entry_points
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert "Name: fas-core\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata


def test_the_description_is_the_readme_with_absolute_links(distribution: Any, repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    with zipfile.ZipFile(distribution.wheel) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_string(wheel.read(name).decode())
    description = str(metadata.get_payload())
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL", ()))
    assert metadata["Description-Content-Type"].startswith("text/markdown")
    targets = LINK_TARGET.findall(readme)
    assert len(targets) > 20
    for before, after in zip(targets, LINK_TARGET.findall(description), strict=True):
        folder = "raw" if before.startswith("docs/images/") else "blob"
        assert after == f"{urls['Repository']}/{folder}/HEAD/{before}"
    assert LINK_TARGET.sub("]()", description).strip() == LINK_TARGET.sub("]()", readme).strip()


def test_the_sdist_builds_the_same_wheel_and_holds_the_tests(
    distribution: Any, in_wheel: set[str], build: Callable[[Path, str], Path], tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "tarfile", "-e", distribution.sdist, tmp_path], check=True)
    (unpacked,) = tmp_path.iterdir()
    for name in (
        "tox.ini",
        "constraints.txt",
        "tests/conftest.py",
        "tests/parity/outputs.npz",
        "docs/plugins.md",
        "docs/generate/commands.py",
        "mkdocs.yml",
        "Dockerfile",
        "SECURITY.md",
    ):
        assert (unpacked / name).is_file()
    with zipfile.ZipFile(build(unpacked, "wheel")) as wheel:
        assert set(wheel.namelist()) == in_wheel


def test_an_editable_install_finds_packages_recipes_and_plugins(
    distribution: Any, new_environment: Callable[[Path], Any], tmp_path: Path
) -> None:
    environment = new_environment(tmp_path)
    environment.install("--editable", distribution.source)
    for folder, package in PACKAGES.items():
        found = environment.run(
            environment.python, "-c", f"import {package}; print(*{package}.__path__)"
        ).stdout
        assert found == f"{distribution.source / folder}\n"
    shown = environment.fas("config", "show", "quickstart").stdout
    assert yaml.safe_load(shown)["loss"]["name"] == "focal"


def test_constraints_pin_every_requirement_exactly(repository: Path, project: dict[str, Any]) -> None:
    lines = (repository / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert pins["torch"] == "2.13.0"
    extras = project["project"]["optional-dependencies"].values()
    required = map(Requirement, [*project["project"]["dependencies"], *chain(*extras)])
    missing = {canonicalize_name(item.name) for item in required} - set(map(canonicalize_name, pins))
    assert missing <= {"fas-core"}


def test_pre_commit_runs_the_pinned_linter(repository: Path) -> None:
    (ruff,) = [
        line for line in (repository / "constraints.txt").read_text().splitlines() if line.startswith("ruff=")
    ]
    config = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert [hook["entry"].split()[:2] for hook in hooks] == [["ruff", "check"], ["ruff", "format"]]
    assert all(hook["additional_dependencies"] == [ruff] for hook in hooks)


def test_every_tox_environment_says_what_it_does(repository: Path) -> None:
    tox = ConfigParser(interpolation=None)
    tox.read(repository / "tox.ini", encoding="utf-8")
    environments = [name for name in tox.sections() if name.startswith("testenv:")]
    assert {f"testenv:{name}" for name in tox["tox"]["env_list"].split(", ")} < set(environments)
    for name in environments:
        description = tox[name]["description"]
        assert description
        assert ":" not in description  # which tox would read as a condition
