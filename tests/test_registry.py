"""Discovery: every entry point becomes a record, whatever it does."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest
from attrs import frozen

from fas_core import Backbone, Loss, PluginError, __version__
from fas_core.descriptors import KINDS
from fas_core.registry import DISABLE, PluginRecord, Registry, discover, registry

IMPORTS = "from fas_core import Backbone, Loss, Metric, hookimpl\n"
Install = Callable[..., None]


@frozen
class Site:
    """A folder with distributions in it, as pip would leave them."""

    path: Path

    def install(self, name: str, code: str, *, requires: str = "", module: str = "", entry: str = "") -> None:
        module = module or name.replace("-", "_")
        (self.path / f"{module}.py").write_text(code)
        info = self.path / f"{name}-1.5.dist-info"
        info.mkdir()
        required = f"Requires-Dist: {requires}\n" if requires else ""
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n{required}")
        (info / "entry_points.txt").write_text(f"[fas]\n{entry or module} = {module}\n")

    def entries(self) -> Iterator[EntryPoint]:
        found = sorted(distributions(path=[str(self.path)]), key=lambda item: item.name)
        return (entry for item in found for entry in item.entry_points if entry.group == "fas")

    def discover(self, *disabled: str) -> list[PluginRecord]:
        return list(discover(self.entries(), frozenset(disabled)))

    def only(self) -> PluginRecord:
        (record,) = self.discover()
        return record


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield Site(tmp_path)
    for name in set(sys.modules) - before:
        del sys.modules[name]
    importlib.invalidate_caches()


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


def test_a_plugin_with_two_kinds(site: Site) -> None:
    site.install(
        "two-kinds",
        loss("mine")
        + "@hookimpl\ndef fas_metrics():\n    return [Metric(name='gap', summary='Gap', target='a:b')]\n",
    )
    record = site.only()
    assert (record.status, record.provider) == ("active", "plugin 'two_kinds' of two-kinds 1.5")
    assert [(item.kind, item.name) for item in record.components] == [("loss", "mine"), ("metric", "gap")]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("raise ValueError('first line\\nsecond line')", "ValueError: first line"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        (
            f"{IMPORTS}@hookimpl\ndef fas_losses():\n"
            "    yield Loss(name='one', summary='', target='a:b')\n    raise OSError('no licence')\n",
            "OSError: no licence",
        ),
        ("x = 1", "PluginError: trouble implements no hook: mark one with @fas_core.hookimpl"),
        (
            f"{IMPORTS}@hookimpl\ndef fas_losses():\n    pass\n",
            "PluginError: trouble provides nothing: its hooks must",
        ),
        (
            f"{IMPORTS}@hookimpl\ndef fas_losses():\n    return []\n",
            "PluginError: trouble provides nothing: its hooks",
        ),
        (
            f"{IMPORTS}@hookimpl\ndef fas_losses():\n    yield 'hinge'\n",
            "PluginError: fas_losses gave 'hinge': it must yield Loss records",
        ),
        (
            f"{IMPORTS}@hookimpl\ndef fas_losses():\n    yield Metric(name='x', summary='', target='a:b')\n",
            "PluginError: fas_losses gave Metric(name='x'",
        ),
        (loss("Not A Name"), "PluginError: loss name 'Not A Name': use lower-case letters and digits"),
        (
            loss("one") + loss("one").replace("fas_losses", "fas_losse"),
            "PluginValidationError: unknown hook 'fas_losse'",
        ),
        (
            f"{IMPORTS}@hookimpl\ndef fas_losses():\n    for _ in range(2):\n"
            "        yield Loss(name='one', summary='', target='a:b')\n",
            "PluginError: trouble yields twice: loss one",
        ),
        (f"{IMPORTS}@hookimpl\ndef fas_losses(config):\n    return []\n", "PluginValidationError: "),
        (
            f"{IMPORTS}from attrs import frozen\n@frozen\nclass Options:\n    name: str = ''\n"
            "@hookimpl\ndef fas_losses():\n"
            "    yield Loss(name='one', summary='', target='a:b', options=Options)\n",
            "PluginError: loss 'one': option 'name' has a meaning of its own in recipes",
        ),
    ],
)
def test_trouble_is_a_failed_record_and_the_rest_works(site: Site, code: str, error: str) -> None:
    site.install("trouble", code)
    site.install("unhurt", loss("fine"))
    trouble, unhurt = site.discover()
    assert (trouble.status, trouble.components) == ("failed", ())
    assert trouble.error.startswith(error)
    assert "\n" not in trouble.error
    assert unhurt.status == "active"
    assert Registry((trouble, unhurt)).find(Loss, "fine")


@pytest.mark.parametrize(
    "requires",
    ["fas-core>=99", "fas_core >= 99", "FAS-Core<0.0.1", "fas-core[train]>=99; python_version > '3'"],
)
def test_a_plugin_for_another_core_fails_without_being_imported(site: Site, requires: str) -> None:
    site.install("newer", "raise AssertionError('imported')", requires=requires)
    record = site.only()
    assert record.status == "failed"
    assert record.error.startswith("PluginError: asks for fas-core")
    assert record.error.endswith(f", and this is {__version__}: upgrade fas-core")


@pytest.mark.parametrize(
    "requires",
    [
        "",
        "fas-core",
        "fas-core>=0.0.1",
        "fas-core-extras>=99",
        "fas-core>=99; extra == 'x'",
        "fas-core>=99; python_version < '3'",
    ],
)
def test_a_plugin_for_this_core_is_active(site: Site, requires: str) -> None:
    site.install("fitting", loss("fine"), requires=requires)
    assert site.only().status == "active"


@pytest.mark.parametrize("name", ["acme-fas", "acme", "acme-fas:acme"])
def test_disabling_by_distribution_by_entry_point_and_by_both(site: Site, name: str) -> None:
    site.install("acme-fas", "raise AssertionError('imported')", entry="acme")
    site.install("other-fas", loss("fine"), entry="other")
    assert [record.status for record in site.discover(name)] == ["disabled", "active"]


def test_the_environment_disables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLE, " fas-core:losses, ,unheard-of ")
    found = registry()
    assert [record.name for record in found.records if record.status == "disabled"] == ["losses"]
    with pytest.raises(PluginError, match="loss 'focal': no plugin provides it"):
        found.find(Loss, "focal")
    monkeypatch.delenv(DISABLE)
    assert registry().find(Loss, "focal")


def test_a_clash_is_an_error_where_the_name_is_used(site: Site) -> None:
    site.install("acme-fas", loss("focal"), entry="acme")
    site.install("busy-fas", loss("focal"), entry="losses")
    site.install("calm-fas", loss("calm"), entry="calm")
    ours = [record for record in registry().records if record.distribution == "fas-core"]
    found = Registry((*site.discover(), *ours))
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
    without = Registry((*site.discover("acme-fas", "busy-fas:losses"), *ours))
    assert without.clashes() == []
    assert without.find(Loss, "focal").target.startswith("fas_plugins.")


def test_one_name_for_two_kinds_is_no_clash(site: Site) -> None:
    site.install("acme-fas", loss("acer"))
    assert Registry((*site.discover(), *registry().records)).clashes() == []


def test_an_unknown_name_tells_the_closest_and_what_failed(site: Site) -> None:
    site.install("trouble", "import nothing_of_this_name")
    found = Registry((*registry().records, *site.discover()))
    with pytest.raises(PluginError) as caught:
        found.find(Loss, "focall")
    assert str(caught.value) == (
        "loss 'focall': no plugin provides it (did you mean 'focal'?)"
        "; failed: plugin 'trouble' of trouble 1.5, see `fas plugins list`"
    )
    with pytest.raises(PluginError, match=r"\(known: .*cross_entropy, .*focal"):
        found.find(Loss, "zzz")
