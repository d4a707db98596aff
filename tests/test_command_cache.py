"""The commands that are remembered: never others than those that the plugins have now."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from fixtures.strangers import IMPORTS, Here, Site

from fas_core import Command, Detector, Runtime
from fas_core import command_cache as cache
from fas_core.command_cache import NO_CACHE, command_registry, forget_commands
from fas_core.registry import DISABLE, Registry

UPLOAD = f"""{IMPORTS}
@hookimpl
def fas_commands():
    yield Command(name="upload", summary="Send a run", target="acme_fas:upload", panel="Lab", modules=("os",))
"""
LOSS = f"""{IMPORTS}
@hookimpl
def fas_losses():
    yield Loss(name="hinge", summary="", target="acme_fas:Hinge")
"""

OPENERS = f"""{IMPORTS}
@hookimpl
def fas_runtimes():
    yield Runtime(
        name="acme", summary="", target="acme_fas:open", suffixes=(".acme",), beside=(".bin",), runs_code=True
    )

@hookimpl
def fas_detectors():
    yield Detector(name="acme", summary="", target="acme_fas:find", landmarks=False)
"""

Look = Callable[[], list[Command]]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """The file that holds the commands, of which there is at most one."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FAS_CACHE_DIR", str(folder))
    monkeypatch.delenv(NO_CACHE)

    def found() -> Path:
        (path,) = folder.iterdir()
        return path

    return found


@pytest.fixture
def imports() -> list[str]:
    """A name for each time that the plugins were imported."""
    return []


@pytest.fixture
def look(here: Here, file: Callable[[], Path], imports: list[str], monkeypatch: pytest.MonkeyPatch) -> Look:
    """`look()`: the commands of the site's plugins as a new process finds them."""

    def discover() -> Registry:
        imports.append("all")
        return Registry(tuple(here.discover(*os.environ.get(DISABLE, "").split(","))))

    def look() -> list[Command]:
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(str(here.site.path)):
                del sys.modules[name]
        here.refresh()
        return command_registry().all(Command)

    monkeypatch.setattr(cache, "SETTLED", -60.0)
    monkeypatch.setattr(cache, "registry", discover)
    return look


def test_nothing_is_imported_until_something_changes(here: Here, look: Look, imports: list[str]) -> None:
    here.install("acme-fas", UPLOAD)
    here.install("other-fas", LOSS)
    first, second = look(), look()
    assert imports == ["all"]
    assert first == second
    (command,) = second
    assert (command.summary, command.panel, command.modules) == ("Send a run", "Lab", ("os",))
    assert str(command.provider) == "acme-fas 1.5"
    assert command_registry().providers(Command, "acme-fas:upload")[0].name == "acme_fas"


def test_runtimes_and_detectors_are_remembered_as_they_are(
    here: Here, look: Look, imports: list[str]
) -> None:
    here.install("acme-fas", OPENERS)
    found = []
    for _ in range(2):
        look()
        plugins = command_registry()
        found.append([*plugins.all(Runtime), *plugins.all(Detector)])
    assert imports == ["all"]
    assert found[0] == found[1]
    runtime, detector = found[1]
    assert (runtime.suffixes, runtime.beside, runtime.runs_code) == ((".acme",), (".bin",), True)
    assert (detector.landmarks, str(detector.provider)) == (False, "acme-fas 1.5")


def test_a_runtime_with_options_is_not_remembered(here: Here, look: Look, imports: list[str]) -> None:
    options = "from attrs import frozen\n@frozen\nclass Own:\n    size: int = 7\n"
    here.install("acme-fas", options + OPENERS.replace("suffixes=", "options=Own, suffixes="))
    for _ in range(2):
        look()
        (runtime,) = command_registry().all(Runtime)
        assert runtime.options().size == 7


def test_another_version_is_seen(here: Here, look: Look) -> None:
    here.install("acme-fas", UPLOAD)
    look()
    here.uninstall("acme-fas")
    here.install("acme-fas", UPLOAD, version="1.6")
    assert [str(command.provider) for command in look()] == ["acme-fas 1.6"]


def test_another_version_in_the_same_folder_is_seen(here: Here, look: Look) -> None:
    here.install("acme-fas", UPLOAD)
    look()
    metadata = here.site.path / "acme-fas-1.5.dist-info" / "METADATA"
    metadata.write_text("Metadata-Version: 2.1\nName: acme-fas\nVersion: 10.0\n")
    assert [str(command.provider) for command in look()] == ["acme-fas 10.0"]


def test_a_plugin_that_is_removed_or_installed_is_seen(here: Here, look: Look) -> None:
    here.install("acme-fas", UPLOAD)
    look()
    here.uninstall("acme-fas")
    assert look() == []
    here.install("acme-fas", UPLOAD)
    assert len(look()) == 1


def test_code_that_was_edited_is_seen(here: Here, look: Look) -> None:
    path = here.install("acme-fas", UPLOAD)
    look()
    path.write_text(UPLOAD.replace("Send a run", "Send a run to the lab"))
    assert [command.summary for command in look()] == ["Send a run to the lab"]


def test_an_edit_of_the_same_length_is_seen(here: Here, look: Look) -> None:
    path = here.install("acme-fas", UPLOAD)
    look()
    path.write_text(UPLOAD.replace("Send a run", "Show a run"))
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10**9))
    assert [command.summary for command in look()] == ["Show a run"]


def test_a_module_that_the_hooks_import_counts(here: Here, look: Look) -> None:
    texts = here.site.path / "acme_texts.py"
    texts.write_text("SUMMARY = 'Send a run'\n")
    here.install("acme-fas", "import acme_texts\n" + UPLOAD.replace('"Send a run"', "acme_texts.SUMMARY"))
    look()
    texts.write_text("SUMMARY = 'Send it'\n")
    assert [command.summary for command in look()] == ["Send it"]


def test_another_search_path_counts(here: Here, look: Look, imports: list[str], tmp_path: Path) -> None:
    here.install("acme-fas", UPLOAD)
    look()
    sys.path.insert(0, str(tmp_path))
    try:
        look()
    finally:
        sys.path.remove(str(tmp_path))
    assert len(imports) == 2


def test_every_distribution_that_python_knows_counts() -> None:
    known = {str(getattr(item, "_path", "")) for item in distributions()}
    described = {entry[0] for entry in cache._describe_search()[1]}
    assert known
    assert known <= described


def test_with_finders_of_distributions_nothing_is_remembered(
    here: Here, look: Look, imports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they would find cannot be seen without asking them."""

    class Finder:
        def find_spec(self, *_: object) -> None: ...
        def find_distributions(self, *_: object) -> list[Distribution]:
            return []

    here.install("acme-fas", UPLOAD)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    look()
    look()
    assert imports == ["all", "all"]


def test_the_variable_turns_it_off(
    here: Here, look: Look, imports: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NO_CACHE, "1")
    here.install("acme-fas", UPLOAD)
    assert len(look()) == len(look()) == 1
    assert len(imports) == 2
    assert not (tmp_path / "cache").exists()


def test_what_is_disabled_stays_so(here: Here, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    here.install("acme-fas", UPLOAD)
    assert len(look()) == 1
    monkeypatch.setenv(DISABLE, "acme-fas")
    assert look() == []
    assert look() == []
    assert [record.status for record in command_registry().records] == ["disabled"]
    monkeypatch.delenv(DISABLE)
    assert len(look()) == 1


def test_a_plugin_that_failed_is_tried_again(here: Here, look: Look, imports: list[str]) -> None:
    licence = here.site.path / "licence"
    here.install("acme-fas", f"open({str(licence)!r}).close()\n{UPLOAD}")
    assert look() == []
    licence.touch()
    assert len(look()) == 1
    assert len(imports) == 2


def test_a_file_that_changed_a_moment_ago_may_change_again(
    here: Here, look: Look, imports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SETTLED", 60.0)
    here.install("acme-fas", UPLOAD)
    look()
    look()
    assert len(imports) == 2


def test_a_command_of_a_class_of_its_own_is_not_remembered(
    here: Here, look: Look, imports: list[str]
) -> None:
    own = UPLOAD.replace("yield Command(", "yield Own(").replace(
        "@hookimpl", "class Own(Command):\n    pass\n\n@hookimpl"
    )
    here.install("acme-fas", own)
    assert [type(command).__name__ for command in (*look(), *look())] == ["Own", "Own"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\x00",
        b"{}",
        b"[" * 100_000,
        lambda stored: {**stored, "plugins": 7},
        lambda stored: {**stored, "plugins": [{"name": "acme"}]},
        lambda stored: {**stored, "files": [["a"]]},
        lambda stored: {
            **stored,
            "plugins": [{**stored["plugins"][0], "components": [{"kind": "command", "name": "Not A Name"}]}],
        },
    ],
)
def test_a_damaged_file_is_written_anew(
    here: Here, look: Look, imports: list[str], file: Callable[[], Path], content: object
) -> None:
    here.install("acme-fas", UPLOAD)
    look()
    stored = json.loads(file().read_bytes())
    damaged = json.dumps(content(stored)).encode() if callable(content) else content
    file().write_bytes(damaged)  # type: ignore[arg-type]
    assert len(look()) == len(look()) == 1
    assert len(imports) == 2
    assert json.loads(file().read_bytes())["plugins"] == stored["plugins"]


def test_a_folder_in_its_place_costs_time_alone(
    here: Here, look: Look, imports: list[str], file: Callable[[], Path]
) -> None:
    here.install("acme-fas", UPLOAD)
    look()
    path = file()
    path.unlink()
    path.mkdir()
    assert len(look()) == len(look()) == 1
    assert len(imports) == 3


def test_a_folder_that_cannot_be_written_costs_time_alone(
    here: Here, look: Look, imports: list[str], tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file, where a folder should be")
    here.install("acme-fas", UPLOAD)
    assert len(look()) == len(look()) == 1
    assert len(imports) == 2


def test_processes_at_the_same_time_share_it(site: Site, tmp_path: Path) -> None:
    """The command line itself: first nothing is remembered, then three processes read and write at once."""
    site.install("acme-fas", f"print('imported')\n{UPLOAD}")
    an_hour_ago = time.time() - 3600
    for path in site.path.rglob("*"):
        os.utime(path, (an_hour_ago, an_hour_ago))
    environment = {"FAS_CACHE_DIR": str(tmp_path / "cache"), NO_CACHE: ""}
    help_page = site.fas("--help", **environment)
    assert ("Send a run" in help_page.stdout, "imported" in help_page.stderr) == (True, True)
    python_path = os.pathsep.join(filter(None, (str(site.path), os.environ.get("PYTHONPATH"))))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "fas_core", "--help"],
            cwd=site.path,
            env={**os.environ, **environment, "PYTHONPATH": python_path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [process.communicate(timeout=60) for process in processes] == [(help_page.stdout, "")] * 3
    shutil.rmtree(tmp_path / "cache")


def test_forgetting_looks_again(here: Here, look: Look) -> None:
    here.install("acme-fas", UPLOAD)
    look()
    here.uninstall("acme-fas")
    forget_commands()
    assert command_registry().all(Command) == []
