"""The root group: what it lists, what it imports, how commands end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from fas_core import FasError, __version__, errors
from fas_core.cli import config, main
from fas_core.registry import DISABLE
from fas_core.remembered_kinds import PANELS

Fas = Callable[..., Result]
COMMANDS = main.list_commands(None)  # type: ignore[arg-type]
HEAVY = ("torch", "onnxruntime", "sklearn", "matplotlib", "cv2")
LISTING = f"""
import sys
from fas_core.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["plugins", "list"],
        ["plugins", "list", "--json"],
        ["config", "show"],
        ["config", "show", "--fl-gamma", "2", "--data", "synthetic"],
        ["config", "list"],
        ["config", "schema"],
        *([command, "--help"] for command in COMMANDS),
    ],
    ids=" ".join,
)
def test_looking_around_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", LISTING, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout
    assert done.stderr == "\n"


def test_help_lists_every_command(fas: Fas) -> None:
    shown = fas("--help")
    assert shown.exit_code == 0
    for name in COMMANDS:
        summary = main.get_command(None, name).help  # type: ignore[arg-type, union-attr]
        assert f" {name} " in shown.output
        assert summary in shown.output
    assert fas("-h").output == shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(fas: Fas, name: str) -> None:
    shown = fas(name, "--help")
    assert shown.exit_code == 0
    assert f"Usage: fas {name}" in shown.output.replace("Usage: main", "Usage: fas")


def test_version(fas: Fas) -> None:
    assert fas("--version").output == f"fas, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["trian"], ["config", "shwo"], ["config", "show", "--lrr", "1"], ["plugins"]]
)
def test_a_wrong_call_exits_with_2(fas: Fas, arguments: list[str]) -> None:
    assert fas(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--frob"], "fas: no such option '--frob'; see fas --help"),
        (["score", "--frob"], "fas score: no such option '--frob'; see fas score --help"),
        (
            ["train", "--lrr", "1"],
            "fas train: no such option '--lrr' (did you mean '--lr'?); see fas train --help",
        ),
        (
            ["train", "--rate", "1"],
            "fas train: no such option '--rate' (did you mean '--learning-rate'?); see",
        ),
        (["predict"], "fas predict: missing argument 'RUN|MODEL.onnx|public:NAME'; see fas predict --help"),
        (
            ["plugins", "list", "--kind", "x"],
            "fas plugins list: invalid value for '--kind': 'x' is not one of",
        ),
        (["train", "a", "b"], "fas train: got unexpected extra argument (b); see fas train --help"),
    ],
)
def test_a_usage_error_is_one_line(fas: Fas, arguments: list[str], line: str) -> None:
    shown = fas(*arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"error: {line}")
    assert shown.stderr.count("\n") == 1


def test_verbose_prints_the_traceback_before_the_line(fas: Fas) -> None:
    for arguments in (
        ("--verbose", "config", "show", "--lr", "-1"),
        ("config", "show", "--lr", "-1", "--verbose"),
    ):
        lines = fas(*arguments).stderr.splitlines()
        assert "Traceback (most recent call last):" in lines[:-1]
        assert lines[-1] == "error: recipe quickstart: train.lr: must be > 0: -1.0"
    assert "Traceback" not in fas("config", "show", "--lr", "-1").stderr


@pytest.mark.parametrize("flag", ["-v", "--verbose"])
def test_verbose_means_the_same_before_and_after_the_command(fas: Fas, flag: str) -> None:
    for arguments in ((flag, "config", "list"), ("config", "list", flag)):
        shown = fas(*arguments)
        assert shown.stdout == fas("config", "list").stdout
        first, *_, last = shown.stderr.splitlines()
        assert first.startswith(f"fas {__version__}, Python 3.")
        assert re.fullmatch(r"(fas|main) config list: [0-9.e-]+ s", last)


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_means_the_same_before_and_after_the_command(fas: Fas, flag: str, tmp_path: Path) -> None:
    assert fas("runs", "list", tmp_path).stdout == f"{tmp_path}: no runs\n"
    for arguments in ((flag, "runs", "list", tmp_path), ("runs", "list", tmp_path, flag)):
        assert fas(*arguments).output == ""
    for arguments in ((flag, "config", "list"), ("config", "list", flag)):
        assert fas(*arguments).output == fas("config", "list").output


@pytest.mark.parametrize("arguments", [("-v", "config", "list", "-q"), ("-q", "-v", "config", "list")])
def test_quiet_and_verbose_exclude_each_other(fas: Fas, arguments: tuple[str, ...]) -> None:
    shown = fas(*arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.splitlines()[-1] == "error: --quiet and --verbose: give one of them"


def test_verbose_leaves_stdout_to_the_document(fas: Fas) -> None:
    shown = fas("-v", "config", "list", "--json")
    assert json.loads(shown.stdout) == json.loads(fas("config", "list", "--json").stdout)


def test_a_mistake_is_one_line_and_exits_with_2(fas: Fas) -> None:
    shown = fas("config", "show", "--lr", "-1")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == "error: recipe quickstart: train.lr: must be > 0: -1.0\n"


def test_several_mistakes_are_a_line_each(fas: Fas) -> None:
    shown = fas("config", "show", "--lr", "-1", "--set", "train.epoch=2")
    assert shown.exit_code == 2
    assert shown.stderr == (
        "error: recipe quickstart: 2 problems\n"
        "  train.epoch: unknown key (did you mean 'epochs'?)\n"
        "  train.lr: must be > 0: -1.0\n"
    )


def stop_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def stop(_: object) -> None:
        raise error

    monkeypatch.setattr(config, "named_recipes", stop)


def test_ctrl_c_exits_with_130(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_with(monkeypatch, KeyboardInterrupt())
    shown = fas("config", "list")
    assert (shown.exit_code, shown.stderr) == (130, "error: interrupted\n")


def test_an_error_brings_its_own_exit_code(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    error = FasError("found leaks")
    error.exit_code = 1
    stop_with(monkeypatch, error)
    assert fas("config", "list").exit_code == 1


def test_a_bug_keeps_its_traceback(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = ZeroDivisionError("ours")
    stop_with(monkeypatch, bug)
    assert fas("config", "list").exception is bug


def test_a_reader_that_has_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", "from fas_core.cli import main; main()", "config", "schema"]
    try:
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_a_missing_extra_is_one_line(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda name: None if name == "torch" else object())
    shown = fas("train")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == "error: this needs torch: pip install 'fas-core[train]'\n"


def test_disabling_reaches_the_environment(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLE, "acme-fas")
    shown = fas("--disable-plugin", "fas-core:losses", "--disable-plugin", "metrics", "config", "show")
    assert shown.exit_code == 2
    assert "loss.name: loss 'focal': no plugin provides it" in shown.stderr
    assert os.environ[DISABLE] == "acme-fas,fas-core:losses,metrics"


def test_disabling_a_plugin_that_there_is_not_is_refused(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLE, "")
    shown = fas("--disable-plugin", "[/x]", "train")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith("error: --disable-plugin '[/x]': no such plugin (known: augmentations, ")


@pytest.mark.parametrize("option", ["--name", "--runs"])
def test_a_name_that_is_too_long_is_one_line(
    option: str, fas: Fas, recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = fas("train", recipe_file, option, "x" * 300)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.endswith(": File name too long\n")
    assert "\n" not in shown.stderr[:-1]


def test_a_nul_in_an_argument_is_one_line(fas: Fas) -> None:
    shown = fas("score", "a\0b")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert (
        shown.stderr == "error: fas: an argument has a NUL, which no name or path can have; see fas --help\n"
    )


def test_commands_are_grouped_by_what_people_do(fas: Fas) -> None:
    lines = fas("--help").output.splitlines()
    headings = [line.strip("╭─╮ ") for line in lines if line.startswith("╭")]
    assert headings == [*PANELS, "Options"]
    position = {line.split()[1]: number for number, line in enumerate(lines) if line.startswith("│ ")}
    assert position["train"] < position["report"] < position["export"] < position["data"] < position["config"]


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fas_core", "--version"], capture_output=True, text=True, check=False
    )
    assert done.stdout == f"fas, version {__version__}\n"
