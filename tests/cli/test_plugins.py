"""`fas plugins list` and `fas plugins show`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from click.testing import Result

from fas_core import Loss, __version__
from fas_core.cli import plugin_costs, plugin_details, plugins
from fas_core.import_costs import ImportCost
from fas_core.registry import PluginRecord, Registry, registry

Fas = Callable[..., Result]


@pytest.fixture
def troubled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours, one that failed, one that is disabled, and one that provides `focal` again."""
    focal = Loss(name="focal", summary="Theirs", target="acme:Focal", source="a paper")
    found = Registry(
        (
            *registry().records,
            PluginRecord("broken", "broken-fas", "2", "failed", error="ImportError: no"),
            PluginRecord("off", "off-fas", "3", "disabled"),
            PluginRecord("acme", "acme-fas", "4", "active", components=(focal,)),
        )
    )
    monkeypatch.setattr(plugins, "registry", lambda: found)


def test_a_line_for_every_component(fas: Fas) -> None:
    lines = fas("plugins", "list").stdout.splitlines()
    every = [component for record in registry().records for component in record.components]
    assert lines[0] == f"{len(every)} components"
    assert lines[1].split() == ["kind", "name", "from", "status", "summary"]
    listeners = [record for record in registry().records if record.events]
    assert len(lines) == 2 + len(every) + len(listeners)
    width = max(len(component.kind) for component in every)
    for component in every:
        (line,) = [line for line in lines if line.startswith(f"{component.kind:{width}}  {component.name}  ")]
        assert f"fas-core {__version__}  active  {component.summary}" in line


def test_a_line_for_a_plugin_with_event_hooks(fas: Fas) -> None:
    (line,) = [line for line in fas("plugins", "list").stdout.splitlines() if line.startswith("events ")]
    assert line.split()[:2] == ["events", "curves"]
    assert "fas_epoch_finished, fas_run_finished, fas_run_failed" in line
    (shown,) = json.loads(fas("plugins", "show", "curves", "--json").stdout)["plugins"]
    assert shown["events"] == ["fas_epoch_finished", "fas_run_finished", "fas_run_failed"]
    assert shown["components"] == []


def test_one_kind(fas: Fas) -> None:
    rows = json.loads(fas("plugins", "list", "--kind", "loss", "--json").stdout)["plugins"]
    assert {row["kind"] for row in rows} == {"loss"}
    assert {row["name"] for row in rows} == {item.name for item in registry().all(Loss)}
    assert fas("plugins", "list", "--kind", "lose").exit_code == 2


@pytest.mark.usefixtures("troubled")
def test_json_has_every_field(fas: Fas) -> None:
    document = json.loads(fas("plugins", "list", "--json").stdout)
    rows = {(row["distribution"], row["name"]): row for row in document["plugins"]}
    assert rows["acme-fas", "focal"] == {
        "kind": "loss",
        "name": "focal",
        "distribution": "acme-fas",
        "version": "4",
        "plugin": "acme",
        "status": "active",
        "summary": "Theirs",
        "source": "a paper",
        "error": None,
        "location": None,
    }
    assert rows["broken-fas", "broken"]["status"] == "failed"
    assert rows["broken-fas", "broken"]["error"] == "ImportError: no"
    assert rows["off-fas", "off"]["status"] == "disabled"
    assert rows["off-fas", "off"]["error"] is None
    (clash,) = document["clashes"]
    assert clash.startswith("loss 'focal': fas-core's own is used, not that of plugin 'acme'")


@pytest.mark.usefixtures("troubled")
def test_trouble_is_said_on_stderr_and_the_list_goes_on(fas: Fas) -> None:
    shown = fas("plugins", "list")
    assert shown.exit_code == 0
    assert shown.stderr.splitlines()[0] == "warning: plugin 'broken' of broken-fas 2 failed: ImportError: no"
    assert shown.stderr.splitlines()[1].startswith("warning: loss 'focal': fas-core's own is used")
    assert "plugin" in shown.stdout
    assert "cross_entropy" in shown.stdout


def test_a_component_is_shown_with_its_options_and_a_recipe(fas: Fas) -> None:
    shown = fas("plugins", "show", "loss:focal").stdout
    assert "source" in shown
    assert "arXiv 1708.02002" in shown
    assert re.search(r"^option +type +default +rule +meaning$", shown, re.MULTILINE)
    assert re.search(
        r"^gamma +float +3\.0 +>= 0; it is finite +how strongly easy samples", shown, re.MULTILINE
    )
    assert shown.endswith("example:\nloss: {name: focal, gamma: 3.0, alpha: null}\n")
    (document,) = json.loads(fas("plugins", "show", "loss:focal", "--json").stdout)["plugins"]
    gamma = {option["name"]: option for option in document["options"]}["gamma"]
    assert (gamma["type"], gamma["default"], gamma["rule"]) == ("float", "3.0", ">= 0; it is finite")


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("exporter:onnx", "fas export RUN --format onnx"),
        ("command:score", "fas score"),
        ("catalogue:public", "fas models list --public"),
        ("recipe:quickstart", "fas train quickstart"),
        ("detector:cascade", "fas predict MODEL PHOTO --detect --detector cascade"),
        ("runtime:onnx", "fas predict model.onnx PHOTO"),
        ("augmentation:flip", "augment:\n- {name: flip, probability: 0.5}"),
        ("dataset:casia_surf", "data: {name: casia_surf, root: FOLDER, lists: .}"),
    ],
)
def test_the_example_is_how_a_component_is_used(fas: Fas, name: str, example: str) -> None:
    (document,) = json.loads(fas("plugins", "show", name, "--json").stdout)["plugins"]
    assert document["example"] == example


def test_a_plugin_is_shown_with_its_import_time(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    cost = ImportCost(1.5, 900, ("torch", "numpy"))
    monkeypatch.setattr(plugin_details, "measure_cost", lambda record, records: cost)
    shown = fas("plugins", "show", "losses").stdout
    assert re.search(r"^import time +1500 ms, and imports torch, numpy$", shown, re.MULTILINE)


@pytest.mark.usefixtures("troubled")
def test_a_disabled_plugin_is_not_imported_to_show_it(fas: Fas) -> None:
    (document,) = json.loads(fas("plugins", "show", "off-fas", "--json").stdout)["plugins"]
    assert document["import_time"] is None


@pytest.mark.usefixtures("troubled")
def test_timing_names_what_is_slow(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {"acme": ImportCost(1.5, 900, ("torch", "numpy")), "broken": ImportCost(None)}

    def measure(record: PluginRecord, _: object) -> ImportCost:
        return costs.get(record.name, ImportCost(0.004, 3))

    monkeypatch.setattr(plugin_costs, "measure_cost", measure)
    shown = fas("plugins", "list", "--timing")
    table = shown.stdout.partition("import times\n")[2].splitlines()
    assert table[0].split()[:3] == ["plugin", "from", "import"]
    assert re.fullmatch(r"acme +acme-fas 4 +1500 ms +900 +torch, numpy", table[1])
    assert len(table) == 1 + len([record for record in plugins.registry().records if record.name != "off"])
    slow, dying = (line for line in shown.stderr.splitlines() if "import" in line and "failed" not in line)
    assert slow.startswith(
        "warning: plugin 'acme' of acme-fas 4 takes 1500 ms to import and imports torch, numpy: import "
    )
    assert dying == "warning: plugin 'broken' of broken-fas 2 ends the process that imports it"
    rows = json.loads(fas("plugins", "list", "--timing", "--json").stdout)["timing"]
    assert {row["plugin"]: row["slow"] for row in rows if row["slow"]} == {"acme": True, "broken": True}
    assert "timing" not in json.loads(fas("plugins", "list", "--json").stdout)
