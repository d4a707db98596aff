"""The help of every command: three examples that are true, groups of options, 80 columns."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

import click
import pytest
from click.testing import CliRunner, Result

from fas_core.cli import main, panels
from fas_core.cli.command import FasCommand

Fas = Callable[..., Result]
UNGROUPED = {"as_json", "quiet", "verbose", "help"}


def walk(
    group: click.Group, ctx: click.Context, path: tuple[str, ...]
) -> Iterator[tuple[str, click.Command]]:
    """All commands below a group, by what is typed after `fas`."""
    for name in group.list_commands(ctx):
        _, command, _ = group.resolve_command(ctx, [name, "--help"])
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from walk(command, click.Context(command, ctx, name), (*path, name))


COMMANDS = {"": main, **dict(walk(main, click.Context(main, info_name="fas"), ()))}


@pytest.fixture
def parse(fas: Fas, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """`parse("fas train --lr 1")`: the result of a command line whose command does nothing."""
    monkeypatch.setattr(click.Command, "invoke", lambda self, ctx: None)
    monkeypatch.setenv("FAS_DISABLE_PLUGINS", "")

    def parsed(line: str) -> Result:
        program, *words = shlex.split(line)
        assert program == "fas"
        ends = [index for index, word in enumerate(words) if word in (">", ">>", "|")]
        return fas(*words[: min(ends, default=None)])

    return parsed


def examples_of(path: str) -> list[str]:
    command = COMMANDS[path]
    assert isinstance(command, FasCommand)
    return [line for line in command.examples.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("path", COMMANDS)
def test_help_has_three_examples_that_click_takes(path: str, parse: Callable[[str], Result]) -> None:
    examples = examples_of(path)
    assert len(examples) >= 3
    for line in examples:
        assert f" {path}" in f"{line} "
        result = parse(line)
        assert (result.exit_code, result.stderr) == (0, ""), line


@pytest.mark.parametrize(
    "line",
    [
        "fas trian",
        "fas train --lrr 1",
        "fas train --lr high",
        "fas data make --size 3",
        "fas runs diff runs/a",
        "fas config show one two",
        "fas plugins list --kind network > out.txt",
        "fas export runs/a --weights worst",
    ],
)
def test_an_example_that_is_not_true_would_be_found(line: str, parse: Callable[[str], Result]) -> None:
    assert parse(line).exit_code == 2


@pytest.mark.parametrize("path", COMMANDS)
def test_examples_are_shown_as_a_shell_takes_them_in_80_columns(path: str) -> None:
    shown = CliRunner().invoke(main, [*path.split(), "--help"], env={"COLUMNS": "80"})
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    start = next(index for index, line in enumerate(lines) if line.strip() == "Examples:")
    command = COMMANDS[path]
    assert isinstance(command, FasCommand)
    expected = command.examples.splitlines()
    assert [line.strip() for line in lines[start + 1 : start + 1 + len(expected)]] == expected
    assert all(line.startswith("# ") for line in expected[::2])


@pytest.mark.parametrize("path", COMMANDS.keys() - {""})
def test_every_option_of_a_command_is_in_a_group(path: str) -> None:
    options = [param for param in COMMANDS[path].params if isinstance(param, click.Option)]
    ungrouped = {param.name for param in options if getattr(param, "panel", None) is None}
    assert ungrouped <= UNGROUPED


def test_groups_come_before_what_all_commands_have(fas: Fas) -> None:
    lines = fas("eval", "--help").output.splitlines()
    headings = [line.strip("╭─╮ ") for line in lines if line.startswith("╭")]
    assert headings == [
        *(panels.DATA, panels.VERDICTS, panels.OUTPUT, panels.MODEL, panels.FACES, panels.MACHINE),
        *(panels.FIGURES, "Options"),
    ]


def test_a_command_without_examples_and_groups_has_help_as_before() -> None:
    @click.command(cls=FasCommand)
    @click.option("--size", help="Size of it.")
    def bare(size: str | None) -> None:
        """Do something."""

    shown = CliRunner().invoke(bare, ["--help"]).output
    assert "Examples" not in shown
    assert "Size of it." in shown
