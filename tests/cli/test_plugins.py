"""`fas plugins list`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from fas_core import Loss, __version__
from fas_core.cli import plugins
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
