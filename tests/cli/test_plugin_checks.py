"""`fas plugins check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from fas_core import Command, Dataset, Loss, Metric, Tracker
from fas_core.cli import plugins
from fas_core.registry import PluginRecord, Registry, registry
from fas_core.testing import RULES
from fas_plugins.losses.options import CrossEntropyOptions

Fas = Callable[..., Result]


def accept_any(options: Any, scores: Any, threshold: Any) -> dict[str, float]:
    """A metric that ignores the scores, but not how many there are."""
    return {"count": float(len(scores))} if len(scores) else {}


NOT_A_COMMAND = accept_any
CROSS_ENTROPY = "fas_plugins.losses.cross_entropy:CrossEntropy"


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin of several components, two of them called `gap`, beside ours and one that failed."""
    here = f"{__name__}:"
    components = (
        Metric(name="gap", summary="", target=f"{here}accept_any"),
        Loss(name="gap", summary="", target=CROSS_ENTROPY, options=CrossEntropyOptions),
        Command(name="upload", summary="", target=f"{here}NOT_A_COMMAND"),
        Tracker(name="lost", summary="", target="acme_fas:Tracker"),
        Dataset(name="faces", summary="", target="fas_plugins.datasets.folder:Folder"),
    )
    installed = Registry(
        (
            *registry().records,
            PluginRecord("acme", "acme-fas", "4", "active", components=components),
            PluginRecord("broken", "broken-fas", "2", "failed", error="ImportError: no", location="b.py:3"),
        )
    )
    monkeypatch.setattr(plugins, "registry", lambda: installed)


def by_component(result: Result) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item["kind"], item["name"]): item for item in json.loads(result.stdout)["components"]}


def test_what_passes_is_listed(fas: Fas) -> None:
    result = fas("plugins", "check", "metrics")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"{len(registry().all(Metric))} passed"
    for metric in registry().all(Metric):
        assert f"metric  {metric.name} " in result.stdout
    assert result.stderr == ""


@pytest.mark.usefixtures("acme")
def test_each_failure_names_its_rule_and_why_there_is_one(fas: Fas) -> None:
    result = fas("plugins", "check", "acme-fas")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "3 failed, 1 passed, 1 not checked"
    assert "not checked: a data set is checked on its data: give --root FOLDER" in result.stdout
    lines = result.stderr.splitlines()
    assert "error: metric 'gap' of acme-fas 4: gap: without samples: other figures" in lines[0]
    assert lines[1] == f"  rule 'every table': {RULES['every table']}"
    assert "no click command" in lines[2]
    assert "raised PluginError" in lines[4]


@pytest.mark.usefixtures("acme")
def test_the_document_has_rules_and_reasons(fas: Fas) -> None:
    result = fas("plugins", "check", "acme", "--json")
    assert result.exit_code == 1
    rows = by_component(result)
    assert {key: row["status"] for key, row in rows.items()} == {
        ("metric", "gap"): "failed",
        ("loss", "gap"): "passed",
        ("command", "upload"): "failed",
        ("tracker", "lost"): "failed",
        ("dataset", "faces"): "not checked",
    }
    assert rows["metric", "gap"]["rule"] == "every table"
    assert rows["metric", "gap"]["why"] == RULES["every table"]
    assert rows["tracker", "lost"]["rule"] == rows["command", "upload"]["rule"] == "loads"
    assert rows["loss", "gap"]["rule"] is rows["loss", "gap"]["error"] is None


@pytest.mark.usefixtures("acme")
def test_a_kind_tells_components_of_one_name_apart(fas: Fas) -> None:
    assert list(by_component(fas("plugins", "check", "gap", "--json"))) == [
        ("metric", "gap"),
        ("loss", "gap"),
    ]
    result = fas("plugins", "check", "loss:gap", "--json")
    assert (result.exit_code, list(by_component(result))) == (0, [("loss", "gap")])
    (shown,) = json.loads(fas("plugins", "show", "metric:gap", "--json").stdout)["plugins"]
    assert shown["kind"] == "metric"


@pytest.mark.usefixtures("acme")
def test_a_plugin_that_failed_is_a_failure(fas: Fas) -> None:
    result = fas("plugins", "check", "broken")
    assert result.exit_code == 1
    assert "plugin 'broken' of broken-fas 2 failed: ImportError: no (b.py:3)" in result.stderr


@pytest.mark.usefixtures("acme")
def test_an_unknown_name_is_a_mistake(fas: Fas) -> None:
    result = fas("plugins", "check", "gapp")
    assert result.exit_code == 2
    assert "gapp: neither a plugin nor a component (did you mean 'gap'?)" in result.stderr


def test_a_data_set_is_checked_on_its_data(fas: Fas, faces: Path, tmp_path: Path) -> None:
    passed = fas("plugins", "check", "dataset:folder", "--root", faces, "--json")
    assert (passed.exit_code, by_component(passed)["dataset", "folder"]["status"]) == (0, "passed")
    empty = fas("plugins", "check", "dataset:folder", "--root", tmp_path)
    assert (empty.exit_code, f"{tmp_path}: holds no folders" in empty.stderr) == (2, True)
    several = fas("plugins", "check", "datasets", "--root", faces)
    assert (several.exit_code, "--root is of one data set: name it" in several.stderr) == (2, True)
