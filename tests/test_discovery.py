"""Discovery: every entry point becomes a record, whatever it does."""

from __future__ import annotations

import pytest
from fixtures.strangers import IMPORTS, Here

from fas_core import Loss, __version__
from fas_core.registry import Registry


def loss(name: str) -> str:
    return (
        f"{IMPORTS}@hookimpl\ndef fas_losses():\n    yield Loss(name={name!r}, summary='', target='a.b:C')\n"
    )


def test_a_plugin_with_two_kinds(here: Here) -> None:
    here.install(
        "two-kinds",
        loss("mine")
        + "@hookimpl\ndef fas_metrics():\n    return [Metric(name='gap', summary='Gap', target='a:b')]\n",
    )
    record = here.only()
    assert (record.status, str(record)) == ("active", "plugin 'two_kinds' of two-kinds 1.5")
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
def test_trouble_is_a_failed_record_and_the_rest_works(here: Here, code: str, error: str) -> None:
    here.install("trouble", code)
    here.install("unhurt", loss("fine"))
    trouble, unhurt = here.discover()
    assert (trouble.status, trouble.components) == ("failed", ())
    assert trouble.error.startswith(error)
    assert "\n" not in trouble.error
    assert unhurt.status == "active"
    assert Registry((trouble, unhurt)).find(Loss, "fine")


@pytest.mark.parametrize(
    "requires",
    ["fas-core>=99", "fas_core >= 99", "FAS-Core<0.0.1", "fas-core[train]>=99; python_version > '3'"],
)
def test_a_plugin_for_another_core_fails_without_being_imported(here: Here, requires: str) -> None:
    here.install("newer", "raise AssertionError('imported')", requires=requires)
    record = here.only()
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
def test_a_plugin_for_this_core_is_active(here: Here, requires: str) -> None:
    here.install("fitting", loss("fine"), requires=requires)
    assert here.only().status == "active"


@pytest.mark.parametrize("name", ["acme-fas", "acme", "acme-fas:acme"])
def test_disabling_by_distribution_by_entry_point_and_by_both(here: Here, name: str) -> None:
    here.install("acme-fas", "raise AssertionError('imported')", entry="acme")
    here.install("other-fas", loss("fine"), entry="other")
    assert [record.status for record in here.discover(name)] == ["disabled", "active"]
