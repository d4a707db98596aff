"""The root group: what it lists, what it imports, how commands end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from click.testing import Result

from fas_core import Command, FasError, PluginError, __version__, errors
from fas_core.cli import config, group, main
from fas_core.descriptors import PANELS
from fas_core.registry import DISABLE, PluginRecord, Registry, registry

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
    def stop() -> None:
        raise error

    monkeypatch.setattr(config, "shipped_recipes", stop)


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
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_missing_extra_is_one_line(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda name: None if name == "torch" else object())
    shown = fas("train")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == "error: this needs torch: pip install 'fas-core[train]'\n"


def test_disabling_reaches_the_environment(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLE, "acme-fas")
    shown = fas("--disable-plugin", "fas-core:losses", "--disable-plugin", "nobody", "config", "show")
    assert shown.exit_code == 2
    assert "loss.name: loss 'focal': no plugin provides it" in shown.stderr
    assert os.environ[DISABLE] == "acme-fas,fas-core:losses,nobody"


UPLOAD = """
import click

@click.command()
@click.argument("run")
def upload(run):
    "Send RUN to the lab."
    click.echo(f"sent {run}")
"""


@pytest.fixture
def provide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`provide("acme", "upload", ...)`: plugins that each provide a command of that name."""
    (tmp_path / "acme_upload.py").write_text(UPLOAD)
    monkeypatch.syspath_prepend(tmp_path)

    def provided(*commands: tuple[Any, ...]) -> None:
        records = [
            PluginRecord(plugin, f"{plugin}-fas", "1", "active", components=(command(name, *fields),))
            for plugin, name, *fields in commands
        ]
        found = Registry((*registry().records, *records))
        monkeypatch.setattr(group, "registry", lambda: found)

    def command(name: str, fields: Mapping[str, Any] | None = None) -> Command:
        return Command(
            name=name, summary="Send a run to the lab", target="acme_upload:upload", **(fields or {})
        )

    return provided


def test_a_plugins_command_is_listed_and_runs(fas: Fas, provide: Callable[..., None]) -> None:
    provide(("acme", "upload"))
    assert "Send a run to the lab" in fas("--help").output
    assert fas("upload", "run-7").output == "sent run-7\n"
    assert fas("upload").exit_code == 2


def test_two_providers_of_a_command_are_an_error_when_it_is_called(
    fas: Fas, provide: Callable[..., None]
) -> None:
    provide(("acme", "upload"), ("busy", "upload"))
    assert fas("--help").exit_code == 0
    shown = fas("upload", "run-7")
    assert shown.exit_code == 2
    assert "command 'upload' is provided by plugin 'acme' of acme-fas 1 and by plugin 'busy'" in shown.stderr


def test_a_plugin_cannot_take_a_command_of_ours(fas: Fas, provide: Callable[..., None]) -> None:
    provide(("acme", "config"))
    assert main.core["config"].summary in fas("--help").output
    shown = fas("config", "show")
    assert shown.exit_code == 2
    assert "command 'config' is provided by plugin 'acme' of acme-fas 1" in shown.stderr
    assert "--disable-plugin acme-fas:acme" in shown.stderr


def test_commands_are_grouped_by_what_people_do(fas: Fas) -> None:
    lines = fas("--help").output.splitlines()
    headings = [line.strip("╭─╮ ") for line in lines if line.startswith("╭")]
    assert headings == [*PANELS, "Options"]
    position = {line.split()[1]: number for number, line in enumerate(lines) if line.startswith("│ ")}
    assert position["train"] < position["report"] < position["export"] < position["data"] < position["config"]


def test_a_plugin_adds_a_sub_command_to_a_group_of_the_core(fas: Fas, provide: Callable[..., None]) -> None:
    provide(("acme", "config upload"))
    assert "Send a run to the lab" in fas("config", "--help").output
    assert "Send a run to the lab" not in fas("--help").output
    assert fas("config", "upload", "run-7").output == "sent run-7\n"


def test_a_plugins_panel_follows_ours_and_hidden_commands_are_not_listed(
    fas: Fas, provide: Callable[..., None]
) -> None:
    provide(("acme", "upload", {"panel": "Laboratory"}), ("acme", "secret", {"hidden": True}))
    shown = fas("--help").output
    assert shown.index("Inspect") < shown.index("Laboratory") < shown.index("Send a run to the lab")
    assert "secret" not in shown
    assert fas("secret", "run-7").output == "sent run-7\n"


def test_a_plugins_missing_extra_is_named_but_its_help_is_shown(
    fas: Fas, provide: Callable[..., None]
) -> None:
    provide(("acme", "upload", {"extra": "upload", "modules": ("no_such_module",)}))
    assert "Send RUN to the lab." in fas("upload", "--help").output
    shown = fas("upload", "run-7")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == "error: this needs no_such_module: pip install 'acme-fas[upload]'\n"


def test_plugins_commands_are_completed(fas: Fas, provide: Callable[..., None]) -> None:
    provide(("acme", "upload"), ("acme", "config upload"))
    completion = ShellComplete(main, {}, "fas", "_FAS_COMPLETE")
    assert "upload" in [item.value for item in completion.get_completions([], "up")]
    assert [item.value for item in completion.get_completions(["config"], "up")] == ["upload"]
    assert "--fail-on-drift" in [item.value for item in completion.get_completions(["drift"], "--fail")]


@pytest.mark.parametrize("name", ["Upload", "a b c", "config  upload", "config Upload", ""])
def test_a_command_cannot_have_such_a_name(name: str) -> None:
    with pytest.raises(PluginError, match="use lower-case letters"):
        Command(name=name, summary="", target="a:b")


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fas_core", "--version"], capture_output=True, text=True, check=False
    )
    assert done.stdout == f"fas, version {__version__}\n"
