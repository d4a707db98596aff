"""Discovery: every entry point becomes a record, whatever it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from importlib.metadata import distributions

import pytest
from fixtures.strangers import IMPORTS, Here, Site

from fas_core import API_VERSION, Loss, __version__
from fas_core.discovery import discover
from fas_core.interruption import Interrupted, interruptible
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


def test_a_plugin_for_this_api_is_active(here: Here) -> None:
    here.install("current", f"FAS_API = {API_VERSION!r}\n{loss('mine')}")
    assert here.only().status == "active"


def test_a_plugin_of_event_hooks_alone(here: Here) -> None:
    here.install("bell", f"{IMPORTS}@hookimpl\ndef fas_run_failed(event):\n    print(event.error)\n")
    record = here.only()
    assert (record.status, record.events, record.components) == ("active", ("fas_run_failed",), ())


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
        (f"FAS_API = '99.0'\n{loss('mine')}", "PluginError: asks for API 99.0, and this fas-core has"),
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
            f"{IMPORTS}@hookimpl\ndef fas_run_ended(event):\n    pass\n",
            "PluginValidationError: unknown hook 'fas_run_ended'",
        ),
        (f"{IMPORTS}@hookimpl\ndef fas_run_failed(error):\n    pass\n", "PluginValidationError: "),
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


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "GeneratorExit(1)", "SystemExit", "BaseException"])
def test_whatever_a_plugin_raises_on_import_costs_only_itself(here: Here, error: str) -> None:
    here.install("trouble", f"raise {error}")
    here.install("unhurt", loss("fine"))
    trouble, unhurt = here.discover()
    assert (trouble.status, unhurt.status) == ("failed", "active")
    assert trouble.error.startswith(error.partition("(")[0])


def test_a_ctrl_c_of_the_user_stops_also_where_the_plugin_catches_it(here: Here) -> None:
    catching = "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n"
    here.install("busy", f"{catching}    pass\n")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores the signal
    try:
        with pytest.raises(KeyboardInterrupt):
            here.discover()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_signal_that_stops_the_command_is_no_failure_of_the_plugin(here: Here) -> None:
    waiting = (
        "import os, signal, threading\nos.kill(os.getpid(), signal.SIGTERM)\nthreading.Event().wait(30)\n"
    )
    here.install("slow", waiting)
    with interruptible(), pytest.raises(Interrupted, match="SIGTERM"):
        here.discover()


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("\n\nraise ValueError('x')", 3),
        ("\nimport nothing_of_this_name", 2),
        ("\ndef broken(:", 2),
        (f"{IMPORTS}@hookimpl\ndef fas_losses():\n    yield Loss(name='Bad', summary='', target='a:b')\n", 4),
        (f"{IMPORTS}@hookimpl\ndef fas_losses(config):\n    return []\n", 2),
        (f"{IMPORTS}@hookimpl\ndef fas_losses():\n    yield 'hinge'\n", 2),
        (f"{IMPORTS}@hookimpl\ndef fas_losse():\n    yield 'hinge'\n", 2),
    ],
)
def test_a_failure_has_its_file_and_line_and_its_traceback(here: Here, code: str, line: int) -> None:
    here.install("trouble", code)
    record = here.only()
    assert record.location == f"{here.site.path / 'trouble.py'}:{line}"
    assert record.traceback.startswith("Traceback (most recent call last):")
    assert record.failure == f"{record.error} ({record.location})"


def test_an_error_of_pluggy_keeps_the_line_that_says_what_is_wrong(here: Here) -> None:
    here.install("trouble", f"{IMPORTS}@hookimpl\ndef fas_losses(config):\n    return []\n")
    assert "Argument(s) {'config'} are declared in the hookimpl but can not be found" in here.only().error


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            "Dataset(name='x', summary='', target='a:b', markers='lab.json')",
            "markers must be a tuple",
        ),
        (
            "Dataset(name='x', summary='', target='a:b', markers=('/lab',))",
            "markers must be patterns",
        ),
        ("Dataset(name='x', summary='', target='a:b', suffixes=('',))", "suffixes must be a tuple of texts"),
        ("Metric(name='x', summary=None, target='a:b')", "metric 'x': summary must be text: None"),
        ("Exporter(name='x', summary='', target='a:b', suffix=None)", "suffix must be text: None"),
        ("Loss(name='x', summary='', target='a:b', options=O)", "a type of options O cannot be read: name"),
    ],
)
def test_a_descriptor_that_would_fail_in_every_list_fails_alone(here: Here, fields: str, error: str) -> None:
    options = "import attrs\n@attrs.frozen\nclass O:\n    scale: 'Nowhere' = 1\n"
    kind = fields.partition("(")[0]
    hook = {"Metric": "fas_metrics", "Dataset": "fas_datasets", "Exporter": "fas_exporters"}
    name = hook.get(kind, "fas_losses")
    here.install("trouble", f"{IMPORTS}{options}@hookimpl\ndef {name}():\n    yield {fields}\n")
    assert error in here.only().error


def test_a_half_installed_distribution_is_a_failed_plugin(here: Here) -> None:
    here.install("unhurt", loss("fine"))
    half, left, empty = (
        here.site.path / f"{name}.dist-info" for name in ("half_fas-1.0", "~nhurt-0.9", "empty-1.0")
    )
    for folder in (half, left, empty):
        folder.mkdir()
        (folder / "entry_points.txt").write_text("[fas]\nhalf = no_such_module\n")
    (empty / "entry_points.txt").unlink()
    (left / "METADATA").write_text("Metadata-Version: 2.1\nName: unhurt\nVersion: 0.9\n")
    records = {record.distribution: record for record in here.discover()}
    assert {name: record.status for name, record in records.items()} == {
        "half_fas": "failed",
        "unhurt": "active",
        "~nhurt-0.9": "failed",
    }
    assert records["half_fas"].error == (
        f"half installed, without name and version: reinstall it or remove {half}"
    )
    assert records["~nhurt-0.9"].error == f"left behind by an interrupted pip: remove {left}"


def test_of_two_copies_of_a_distribution_the_first_counts(here: Here) -> None:
    here.install("acme-fas", loss("fine"))
    assert len({record.distribution for record in here.discover()}) == 1
    twice = list(discover([*distributions(path=[str(here.site.path)])] * 2))
    assert [record.status for record in twice] == ["active"]


def test_the_site_is_broken_in_every_way_and_fas_works(site: Site) -> None:
    """The commands that look around, with stdout for them alone."""
    noisy = (
        "print('hello')\nimport os\nos.write(1, b'raw')\nimport ctypes\nctypes.CDLL(None).puts(b'from C')\n"
    )
    site.install("noisy-fas", noisy + loss("noise").replace("    yield", "    print('in a hook')\n    yield"))
    site.install("stopping-fas", "raise KeyboardInterrupt")
    site.install("torn-fas", "def broken(:\n")
    (site.path / "half-1.0.dist-info").mkdir()
    (site.path / "half-1.0.dist-info" / "entry_points.txt").write_text("[fas]\nhalf = half\n")
    recursive = (
        "from __future__ import annotations\nimport attrs\n"
        "@attrs.frozen\nclass Options:\n    child: Options | None = None\n"
    )
    plugin = loss("endless").replace("target='a.b:C'", "target='a.b:C', options=Options")
    site.install("odd-fas", recursive + plugin)
    listing = site.fas("plugins", "list", "--json")
    rows = {row["distribution"]: row for row in json.loads(listing.stdout)["plugins"]}
    failed = {name for name, row in rows.items() if row["status"] == "failed"}
    assert failed == {"stopping-fas", "torn-fas", "half"}
    assert rows["torn-fas"]["location"] == f"{site.path / 'torn_fas.py'}:1"
    for text in ("hello", "raw", "from C", "in a hook"):
        assert text in listing.stderr
    schema = site.fas("config", "schema")
    assert "noise" in json.dumps(json.loads(schema.stdout)["$defs"]["loss"])
    assert "warning: loss 'endless' of odd-fas 0.1 is left out: its options have no schema" in schema.stderr
    assert json.loads(site.fas("config", "show", "--json").stdout)["train"]
    people = site.fas("--verbose", "plugins", "list")
    assert f"failed: SyntaxError: invalid syntax ({site.path / 'torn_fas.py'}:1)" in people.stderr
    assert "Traceback (most recent call last):" in people.stderr
    assert "Traceback" not in site.fas("plugins", "list").stderr
    shown = site.fas("plugins", "show", "torn-fas")
    assert "Traceback (most recent call last):" in shown.stdout
    assert f"{site.path / 'torn_fas.py'}:1" in shown.stdout


def test_ctrl_c_while_plugins_are_imported_stops_fas(site: Site) -> None:
    site.install("slow-fas", "import time\nprint('asleep', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "fas_core", "config", "list"],
        env={**os.environ, "PYTHONPATH": f"{site.path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
    )
    assert process.stderr is not None
    try:
        assert process.stderr.readline() == "asleep\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (130, "error: interrupted\n")
    finally:
        process.kill()
        process.communicate()
