"""Groups of commands: plugins' commands beside and below the core's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from click.testing import Result

from fas_core import Command
from fas_core.cli import group, main
from fas_core.registry import PluginRecord, Registry, registry

Fas = Callable[..., Result]

UPLOAD = """
import click

@click.command()
@click.argument("run")
def upload(run):
    "Send RUN to the lab."
    click.echo(f"sent {run}")
"""

RICH_UPLOAD = """
import rich_click as click

@click.command()
@click.argument("run", help="What is sent.")
@click.option("--quick", is_flag=True, panel="Lab", help="Leave the images out.")
def rich(run, quick):
    "Send RUN to the lab."
    click.echo(f"sent {run}")
"""


@pytest.fixture
def provide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`provide("acme", "upload", ...)`: plugins that each provide a command of that name."""
    (tmp_path / "acme_upload.py").write_text(UPLOAD + RICH_UPLOAD)
    monkeypatch.syspath_prepend(tmp_path)

    def provided(*commands: tuple[Any, ...]) -> None:
        records = [
            PluginRecord(plugin, f"{plugin}-fas", "1", "active", components=(command(name, *fields),))
            for plugin, name, *fields in commands
        ]
        found = Registry((*registry().records, *records))
        monkeypatch.setattr(group, "command_registry", lambda: found)

    def command(name: str, fields: Mapping[str, Any] | None = None) -> Command:
        defaults = {"summary": "Send a run to the lab", "target": "acme_upload:upload"}
        return Command(name=name, **{**defaults, **(fields or {})})

    return provided


def test_a_plugins_command_is_listed_and_runs(fas: Fas, provide: Callable[..., None]) -> None:
    provide(("acme", "upload"))
    assert "Send a run to the lab" in fas("--help").output
    assert fas("upload", "run-7").output == "sent run-7\n"
    assert fas("upload").exit_code == 2


def test_a_command_of_rich_click_has_the_help_of_that_package(fas: Fas, provide: Callable[..., None]) -> None:
    provide(("acme", "upload", {"target": "acme_upload:rich"}))
    shown = fas("upload", "--help").output
    assert "─ Lab ─" in shown
    assert "What is sent." in shown
    assert fas("upload", "run-7", "--quick").output == "sent run-7\n"
    refused = fas("upload", "run-7", "--quik")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "no such option '--quik' (did you mean '--quick'?)" in refused.stderr


def test_two_providers_of_a_command_are_an_error_when_it_is_called(
    fas: Fas, provide: Callable[..., None]
) -> None:
    provide(("acme", "upload"), ("busy", "upload"))
    assert fas("--help").exit_code == 0
    shown = fas("upload", "run-7")
    assert shown.exit_code == 2
    assert "command 'upload' is provided by plugin 'acme' of acme-fas 1 and by plugin 'busy'" in shown.stderr


@pytest.mark.parametrize("name", ["config", "config show"])
def test_a_command_of_ours_wins_with_a_warning(fas: Fas, provide: Callable[..., None], name: str) -> None:
    provide(("acme", name))
    assert main.core["config"].summary in fas("--help").output
    shown = fas("config", "show", "--json")
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["train"]
    assert shown.stderr == (
        f"warning: command '{name}': fas-core's own is used, not that of plugin 'acme' of acme-fas 1: "
        f"write {'acme-fas:config' if name == 'config' else 'config acme-fas:show'} for it\n"
    )


def test_a_qualified_name_picks_a_command(fas: Fas, provide: Callable[..., None]) -> None:
    provide(("acme", "config"), ("busy", "score"), ("acme", "upload"), ("busy", "upload"))
    assert fas("acme-fas:config", "run-7").output == "sent run-7\n"
    assert fas("busy-fas:score", "run-7").output == "sent run-7\n"
    assert fas("busy-fas:upload", "run-7").output == "sent run-7\n"
    assert "Send RUN" in fas("acme-fas:config", "--help").output


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["trian"], "fas: no such command 'trian' (did you mean 'train'?); see fas --help"),
        (["config", "shwo"], "fas config: no such command 'shwo' (did you mean 'show'?)"),
        (["plugins", "lst"], "fas plugins: no such command 'lst' (did you mean 'list'?)"),
        (["models", "lst"], "fas models: no such command 'lst' (did you mean 'list'?)"),
    ],
)
def test_an_unknown_command_gets_a_suggestion(fas: Fas, arguments: list[str], suggestion: str) -> None:
    shown = fas(*arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"error: {suggestion}")
    assert shown.stderr.count("\n") == 1


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


def test_a_plugin_adds_a_sub_command_to_a_group_of_another_plugin(
    fas: Fas, provide: Callable[..., None]
) -> None:
    provide(("acme", "data upload"))
    assert "Send a run to the lab" in fas("data", "--help").output
    assert fas("data", "upload", "run-7").output == "sent run-7\n"
