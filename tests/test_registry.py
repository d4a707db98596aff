"""The registry: what ships is found like anyone's; names, qualified names, clashes, required plugins."""

from __future__ import annotations

import pytest
from fixtures.strangers import IMPORTS, Here

from fas_core import Backbone, Loss, PluginError, __version__
from fas_core.descriptors import KINDS
from fas_core.registry import DISABLE, Registry, registry


def loss(name: str) -> str:
    return (
        f"{IMPORTS}@hookimpl\ndef fas_losses():\n    yield Loss(name={name!r}, summary='', target='a.b:C')\n"
    )


def test_ours_are_found_like_anyones() -> None:
    ours = [record for record in registry().records if record.distribution == "fas-core"]
    assert {record.name for record in ours} == {
        "backbones",
        "fusions",
        "datasets",
        "losses",
        "metrics",
        "exporters",
        "commands",
    }
    assert {record.status for record in ours} == {"active"}
    assert {record.version for record in ours} == {__version__}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("backbone", "feathernet_a"),
        ("backbone", "feathernet_b"),
        ("fusion", "concat_linear"),
        ("fusion", "single"),
        ("loss", "focal"),
        ("loss", "cross_entropy"),
        ("dataset", "casia_surf"),
        ("dataset", "folder"),
        ("dataset", "manifest"),
        ("dataset", "nuaa"),
        ("dataset", "synthetic"),
        ("metric", "acer"),
        ("exporter", "onnx"),
    ],
)
def test_what_ships_is_there(kind: str, name: str) -> None:
    assert registry().find(KINDS[kind], name).summary


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, item.name) for kind in KINDS for item in registry().all(KINDS[kind])]
)
def test_every_component_can_be_loaded_and_has_options(kind: str, name: str) -> None:
    component = registry().find(KINDS[kind], name)
    assert callable(component.load())
    assert kind == "command" or component.options()


def test_the_environment_disables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLE, " fas-core:losses, ,unheard-of ")
    found = registry()
    assert [record.name for record in found.records if record.status == "disabled"] == ["losses"]
    with pytest.raises(PluginError, match="loss 'focal': no plugin provides it"):
        found.find(Loss, "focal")
    monkeypatch.delenv(DISABLE)
    assert registry().find(Loss, "focal")


def test_a_clash_is_an_error_where_the_name_is_used(here: Here) -> None:
    here.install("acme-fas", loss("focal"), entry="acme")
    here.install("busy-fas", loss("focal"), entry="losses")
    here.install("calm-fas", loss("calm"), entry="calm")
    ours = [record for record in registry().records if record.distribution == "fas-core"]
    found = Registry((*here.discover(), *ours))
    with pytest.raises(PluginError) as caught:
        found.find(Loss, "focal")
    assert str(caught.value) == (
        f"loss 'focal' is provided by plugin 'losses' of fas-core {__version__} "
        "and by plugin 'acme' of acme-fas 1.5 and by plugin 'losses' of busy-fas 1.5: disable one, "
        "e.g. fas --disable-plugin busy-fas:losses ... or FAS_DISABLE_PLUGINS=busy-fas:losses"
    )
    assert found.clashes() == [str(caught.value)]
    assert found.find(Loss, "calm")
    assert found.find(Backbone, "feathernet_b")
    without = Registry((*here.discover("acme-fas", "busy-fas:losses"), *ours))
    assert without.clashes() == []
    assert without.find(Loss, "focal").target.startswith("fas_plugins.")


def test_one_name_for_two_kinds_is_no_clash(here: Here) -> None:
    here.install("acme-fas", loss("acer"))
    assert Registry((*here.discover(), *registry().records)).clashes() == []


def test_an_unknown_name_tells_the_closest_and_what_failed(here: Here) -> None:
    here.install("trouble", "import nothing_of_this_name")
    found = Registry((*registry().records, *here.discover()))
    with pytest.raises(PluginError) as caught:
        found.find(Loss, "focall")
    assert str(caught.value) == (
        "loss 'focall': no plugin provides it (did you mean 'focal'?)"
        "; failed: plugin 'trouble' of trouble 1.5, see `fas plugins list`"
    )
    with pytest.raises(PluginError, match=r"\(known: .*cross_entropy, .*focal"):
        found.find(Loss, "zzz")
