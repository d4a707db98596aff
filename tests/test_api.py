"""`docs/api.md` names what the packages export, and a plugin may ask for a version of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fas_core
from fas_core import API_VERSION, PluginError, pytest_plugin, testing
from fas_core.discovery import check_api_version

MAJOR, MINOR = map(int, API_VERSION.split("."))


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("module", "names"), [("fas_core", fas_core), ("fas_core.testing", testing)])
def test_the_documented_names_are_the_exported_ones(page: str, module: str, names: object) -> None:
    section = page.partition(f"\n## `{module}`\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| \S", section, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == set(vars(names)["__all__"])
    for name in documented:
        assert getattr(names, name) is not None


def test_the_documented_fixtures_are_those_of_the_plugin(page: str) -> None:
    fixtures = {name for name in vars(pytest_plugin) if name.startswith("fas_")}
    assert set(re.findall(r"`(fas_(?!core|api)\w+)`", page)) == fixtures


@pytest.mark.parametrize("version", [None, API_VERSION, f"{MAJOR}.0"])
def test_a_plugin_for_this_version_or_an_older_minor_one_is_taken(version: str | None) -> None:
    check_api_version(version, "acme_fas")


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (
            f"{MAJOR}.{MINOR + 1}",
            rf"API {MAJOR}\.{MINOR + 1}, and this fas-core has {API_VERSION}: upgrade fas-core",
        ),
        (f"{MAJOR + 1}.0", f"asks for API {MAJOR + 1}.0, .*: upgrade fas-core"),
        (f"{MAJOR - 1}.9", f"asks for API {MAJOR - 1}.9, .*: upgrade the plugin"),
        ("1", "must read 'MAJOR.MINOR'"),
        (1.0, "must read 'MAJOR.MINOR'"),
    ],
)
def test_a_plugin_for_another_version_is_refused(version: object, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        check_api_version(version, "acme_fas")
