"""The registry: what ships is found like anyone's; names, qualified names, clashes, required plugins."""

from __future__ import annotations

import pytest
from fixtures.strangers import Here, hooks

from fas_core import Backbone, Loss, PluginError, __version__
from fas_core.console import console
from fas_core.descriptors import KINDS
from fas_core.package_files import PackageFile
from fas_core.registry import DISABLE, Registry, registry


def loss(name: str) -> str:
    """A plugin with a loss."""
    return hooks(losses=f"Loss(name={name!r}, summary='', target='a.b:C')")


def test_ours_are_found_like_anyones() -> None:
    ours = [record for record in registry().records if record.distribution == "fas-core"]
    assert {record.name for record in ours} == {
        "augmentations",
        "backbones",
        "fusions",
        "datasets",
        "losses",
        "optimizers",
        "schedules",
        "metrics",
        "exporters",
        "commands",
        "recipes",
        "detectors",
        "runtimes",
        "trackers",
        "curves",
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
        ("augmentation", "crop"),
        ("loss", "focal"),
        ("loss", "cross_entropy"),
        ("dataset", "casia_surf"),
        ("dataset", "folder"),
        ("dataset", "manifest"),
        ("dataset", "nuaa"),
        ("dataset", "synthetic"),
        ("metric", "acer"),
        ("exporter", "onnx"),
        ("recipe", "quickstart"),
        ("optimizer", "sgd"),
        ("optimizer", "adamw"),
        ("optimizer", "torch"),
        ("schedule", "step"),
        ("schedule", "cosine"),
        ("schedule", "constant"),
        ("schedule", "one_cycle"),
        ("schedule", "warmup"),
        ("tracker", "tensorboard"),
    ],
)
def test_what_ships_is_there(kind: str, name: str) -> None:
    assert registry().find(KINDS[kind], name).summary


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, item.name) for kind in KINDS for item in registry().all(KINDS[kind])]
)
def test_every_component_can_be_loaded_and_has_options(kind: str, name: str) -> None:
    component = registry().find(KINDS[kind], name)
    if isinstance(component, PackageFile):
        assert component.load()
    else:
        assert callable(component.load())
        required = {"callable": {"target": "acme_fas:blur"}} if kind == "augmentation" else {}
        assert kind == "command" or component.options(**required.get(name, {}))


def test_the_environment_disables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLE, " fas-core:losses, ,unheard-of ")
    found = registry()
    assert [record.name for record in found.records if record.status == "disabled"] == ["losses"]
    with pytest.raises(PluginError, match="loss 'focal': no plugin provides it"):
        found.find(Loss, "focal")
    monkeypatch.delenv(DISABLE)
    assert registry().find(Loss, "focal")


BOTH = hooks(losses="from (Loss(name=name, summary='', target='a.b:C') for name in ('focal', 'hinge'))")


@pytest.fixture
def crowded(here: Here) -> Registry:
    """Ours, `focal` and `hinge` of acme-fas and of busy-fas, `calm` of calm-fas."""
    console.reset()
    here.install("acme-fas", BOTH, entry="acme")
    here.install("busy-fas", BOTH, entry="losses")
    here.install("calm-fas", loss("calm"), entry="calm")
    ours = [record for record in registry().records if record.distribution == "fas-core"]
    return Registry((*here.discover(), *ours))


def test_of_a_clash_fas_cores_own_is_used_with_a_warning(
    crowded: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crowded.find(Loss, "focal").target.startswith("fas_plugins.")
    assert crowded.find(Loss, "focal")
    line = (
        "loss 'focal': fas-core's own is used, not that of plugin 'acme' of acme-fas 1.5 and "
        "plugin 'losses' of busy-fas 1.5: write acme-fas:focal or busy-fas:focal for it"
    )
    assert capsys.readouterr().err == f"warning: {line}\n"
    assert line in crowded.clashes()


def test_a_clash_of_others_is_an_error_that_names_all_and_the_ways_out(crowded: Registry) -> None:
    with pytest.raises(PluginError) as caught:
        crowded.find(Loss, "hinge")
    assert str(caught.value) == (
        "loss 'hinge' is provided by plugin 'acme' of acme-fas 1.5 and by plugin 'losses' of busy-fas 1.5: "
        "pick one, acme-fas:hinge or busy-fas:hinge, or disable one, "
        "e.g. fas --disable-plugin busy-fas:losses ... or FAS_DISABLE_PLUGINS=busy-fas:losses"
    )
    assert str(caught.value) in crowded.clashes()
    assert crowded.find(Loss, "calm")
    assert crowded.find(Backbone, "feathernet_b")


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("acme-fas:focal", "acme-fas 1.5"),
        ("Busy_FAS:hinge", "busy-fas 1.5"),
        ("fas-core:focal", f"fas-core {__version__}"),
        ("calm-fas:calm", "calm-fas 1.5"),
    ],
)
def test_a_qualified_name_picks_one_without_a_warning(
    crowded: Registry, capsys: pytest.CaptureFixture[str], name: str, provider: str
) -> None:
    assert str(crowded.find(Loss, name).provider) == provider
    assert capsys.readouterr().err == ""


def test_an_unknown_qualified_name_suggests_one(crowded: Registry) -> None:
    with pytest.raises(PluginError, match=r"'acme-fas:focl': no plugin .*did you mean 'acme-fas:focal'"):
        crowded.find(Loss, "acme-fas:focl")


def test_every_component_has_a_name_that_finds_it(crowded: Registry) -> None:
    for item in crowded.all(Loss):
        assert crowded.find(Loss, crowded.name_of(item)) is item
        assert crowded.find(Loss, item.qualified_name) is item
    assert {crowded.name_of(item) for item in crowded.all(Loss) if item.name in ("focal", "hinge")} == {
        "focal",
        "acme-fas:focal",
        "busy-fas:focal",
        "acme-fas:hinge",
        "busy-fas:hinge",
    }


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("focal", ("focal", None)),
        ("focal:0.1", ("focal", "0.1")),
        ("acme-fas:focal", ("acme-fas:focal", None)),
        ("acme-fas:focal:/a:b", ("acme-fas:focal", "/a:b")),
        ("C:\\data", ("C", "\\data")),
    ],
)
def test_what_follows_a_name_is_split_off(
    crowded: Registry, text: str, parts: tuple[str, str | None]
) -> None:
    assert crowded.split_name(Loss, text) == parts


def test_the_plugin_that_a_run_was_made_with_is_used_and_named(crowded: Registry) -> None:
    busy = {"busy-fas": {"version": "1.4", "components": ["loss hinge", "loss gone"]}}
    needing = crowded.requiring(busy | {"other-fas": {"version": "2", "components": ["loss other"]}})
    assert str(needing.find(Loss, "hinge").provider) == "busy-fas 1.5"
    with pytest.raises(PluginError, match=r"^loss 'other': needs other-fas 2: pip install other-fas$"):
        needing.find(Loss, "other")
    with pytest.raises(PluginError, match=r"needs busy-fas 1.4: the installed 1.5 does not provide it"):
        needing.find(Loss, "gone")


@pytest.mark.parametrize(
    ("code", "disabled", "advice"),
    [
        ("import nothing_of_this_name", (), "it failed: ModuleNotFoundError: No module named"),
        ("", ("acme-fas",), "it is disabled (--disable-plugin, FAS_DISABLE_PLUGINS)"),
    ],
)
def test_a_required_plugin_that_is_there_but_not_active_is_explained(
    here: Here, code: str, disabled: tuple[str, ...], advice: str
) -> None:
    here.install("acme-fas", code)
    needing = Registry(tuple(here.discover(*disabled))).requiring(
        {"acme-fas": {"version": "1.5", "components": ["loss hinge"]}, "junk": 3}  # type: ignore[dict-item]
    )
    with pytest.raises(PluginError) as caught:
        needing.find(Loss, "hinge")
    assert str(caught.value).startswith(f"loss 'hinge': needs acme-fas 1.5: {advice}")


def test_one_name_for_two_kinds_is_no_clash(here: Here) -> None:
    here.install("acme-fas", loss("acer"))
    assert Registry(registry().records).clashes() == []


def test_an_unknown_name_tells_the_closest_and_what_failed(here: Here) -> None:
    here.install("trouble", "import nothing_of_this_name")
    found = registry()
    with pytest.raises(PluginError) as caught:
        found.find(Loss, "focall")
    assert str(caught.value) == (
        "loss 'focall': no plugin provides it (did you mean 'focal'?)"
        "; failed: plugin 'trouble' of trouble 1.5, see `fas plugins list`"
    )
    with pytest.raises(PluginError, match=r"\(known: .*cross_entropy, .*focal"):
        found.find(Loss, "zzz")
