"""The program `fas`, before there is a command line."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from fas_core import __version__
from fas_program import run


def test_it_runs_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/fas", "--version"])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"fas, version {__version__}\n"


def test_ctrl_c_that_a_library_takes_for_a_failed_import_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As onnxruntime's module in C++ does."""

    def interrupted() -> None:
        raise ImportError("initialization failed") from KeyboardInterrupt()

    monkeypatch.setattr("fas_core.cli.first_steps.show_first_steps", interrupted)
    monkeypatch.setattr(sys, "argv", ["fas"])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "error: interrupted\n")


def test_ctrl_c_while_it_is_imported_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "fas_core.cli", Interrupted("fas_core.cli"))
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "error: interrupted\n")
