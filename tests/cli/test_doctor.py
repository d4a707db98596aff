"""`fas doctor`: what it finds, what it calls broken, and what it does not tell."""

from __future__ import annotations

import getpass
import json
import platform
import socket
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from click.testing import Result

from fas_core import Runtime
from fas_core.cli import doctor, machine, requirements
from fas_core.cli.doctor import hide_paths
from fas_core.cli.machine import Space
from fas_core.errors import FasError
from fas_core.registry import PluginRecord, Registry, registry

Fas = Callable[..., Result]


@pytest.fixture
def run_doctor(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`run_doctor("--json", records=(...))`: beside further plugins, and without importing PyTorch."""
    monkeypatch.setattr(machine, "_list_torch_devices", lambda: ["cpu", "cuda:0 NVIDIA H200"])

    def run(*arguments: str, records: tuple[PluginRecord, ...] = ()) -> Result:
        found = Registry((*registry().records, *records))
        monkeypatch.setattr(doctor, "registry", lambda: found)
        return fas("doctor", *arguments)

    return run


def pretend(monkeypatch: pytest.MonkeyPatch, package: str, installed: str | None) -> None:
    """As if another version of a package were installed, or none."""

    def look_up(name: str) -> str:
        if name != package:
            return version(name)
        if installed is None:
            raise PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(requirements, "version", look_up)


def test_a_screen_of_80_columns(run_doctor: Callable[..., Result]) -> None:
    shown = run_doctor()
    lines = shown.stdout.splitlines()
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 40
    text = " ".join(shown.stdout.split())
    assert f"Python {platform.python_version()}, {platform.system()}" in text
    assert f"torch {version('torch')}" in text
    assert "PyTorch: cpu, cuda:0 NVIDIA H200; " in text
    assert " onnx: cpu; " in text
    assert lines[-1].split() == ["broken", "nothing"]


def test_it_tells_neither_user_nor_machine_nor_folders(
    run_doctor: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "erika"))
    monkeypatch.setenv("FAS_MODELS_DIR", str(tmp_path / "secret"))
    record = PluginRecord(
        "a", "acme", "1", "failed", "no file '/home/erika/keys/x.pem'", location="/a/b/c.py:3"
    )
    shown = run_doctor(records=(record,)).stdout + run_doctor("--json", records=(record,)).stdout
    for private in ("erika", "secret", str(tmp_path), str(Path.cwd()), socket.gethostname()):
        assert private not in shown
    assert f"/{getpass.getuser()}/" not in shown
    assert "FAS_MODELS_DIR" in shown


def test_a_plugin_that_failed_is_broken(run_doctor: Callable[..., Result]) -> None:
    record = PluginRecord(
        "gap", "acme-fas", "1.0", "failed", "ImportError: no name 'x'", location="/opt/site/acme/gap.py:7"
    )
    shown = run_doctor("--json", records=(record,))
    assert shown.exit_code == 1
    line = "plugin 'gap' of acme-fas 1.0 failed: ImportError: no name 'x' (.../acme/gap.py:7)"
    assert json.loads(shown.stdout)["problems"] == [line]
    assert line in " ".join(run_doctor(records=(record,)).stdout.split())


def test_a_missing_extra_says_how_it_is_installed_and_is_not_broken(
    run_doctor: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "uvicorn", None)
    shown = run_doctor()
    assert shown.exit_code == 0
    assert "serve: uvicorn is missing: pip install 'fas-core[serve]'" in " ".join(shown.stdout.split())


def test_an_extra_in_another_counts(
    run_doctor: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "matplotlib", "3.1")
    extras = json.loads(run_doctor("--json").stdout)["extras"]
    old = "matplotlib 3.1 is installed, >=3.9 is needed"
    named = [name for name, problems in extras.items() if old in problems]
    assert named == ["executorch", "report", "train", "tune"]


@pytest.mark.parametrize(
    ("package", "installed", "problem"),
    [("attrs", None, "attrs is missing"), ("click", "7.0", "click 7.0 is installed, >=8.2 is needed")],
)
def test_what_fas_itself_needs_is_broken(
    package: str,
    installed: str | None,
    problem: str,
    run_doctor: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, package, installed)
    shown = run_doctor()
    assert shown.exit_code == 1
    assert shown.stdout.splitlines()[-1].split(maxsplit=1) == ["broken", problem]


def test_a_pytorch_that_does_not_start_is_broken(
    run_doctor: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> list[str]:
        raise OSError("libcudnn.so.9: cannot open shared object file")

    monkeypatch.setattr(machine, "_list_torch_devices", fail)
    shown = run_doctor("--json")
    assert shown.exit_code == 1
    problem = "torch cannot be imported: OSError: libcudnn.so.9: cannot open shared object file"
    assert json.loads(shown.stdout)["problems"] == [problem]


def test_a_runtime_whose_package_is_missing_has_no_devices(
    run_doctor: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(runtime: Runtime) -> list[str]:
        if runtime.name == "openvino":
            raise FasError("this needs openvino")
        return ["cpu"]

    monkeypatch.setattr(machine, "list_devices", fail)
    shown = run_doctor()
    assert shown.exit_code == 0
    assert "openvino: none" in shown.stdout


def test_little_shared_memory_is_a_note(
    run_doctor: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "measure_space", lambda: {"/dev/shm": Space(0.06, 0.064)})
    shown = run_doctor()
    assert shown.exit_code == 0
    assert "docker run --shm-size" in shown.stdout


def test_free_space_is_that_of_the_nearest_folder_there_is(tmp_path: Path) -> None:
    assert Space.of(tmp_path / "a" / "b").total == Space.of(tmp_path).total


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot open /home/jo/faces/a.png", "cannot open .../faces/a.png"),
        ("ZeroDivisionError (/opt/lib/acme/gap.py:7)", "ZeroDivisionError (.../acme/gap.py:7)"),
        ("in 'C:\\Users\\jo\\acme\\gap.py'", "in '.../acme/gap.py'"),
        ("no folder /home/jo, no folder /Users/jo/a", "no folder .../~, no folder .../~/a"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("3/4 of a/b/c", "3/4 of a/b/c"),
    ],
)
def test_paths_are_shortened(text: str, expected: str) -> None:
    assert hide_paths(text) == expected
