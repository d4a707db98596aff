"""A page for each command of `fas`, from what click knows of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

import click

from fas_core.cli import main
from fas_core.cli.command import PanelOption
from generate.markdown import escape, write_term

PARAGRAPHS = re.compile(r"\n\s*\n")


@runtime_checkable
class WithExamples(Protocol):
    """A command whose help shows how it is called, in lines of a shell."""

    examples: str


def write_command_pages() -> Mapping[str, str]:
    """Return `reference/commands/NAME.md` of each command that `fas --help` lists, and their list."""
    context = click.Context(main, info_name="fas")
    commands = dict(load_commands(main, context))
    pages = {
        f"reference/commands/{name}.md": f"# fas {name}\n\n{_write_command(command, context, name)}"
        for name, command in commands.items()
    }
    return {"reference/commands/index.md": _write_list(commands, context), **pages}


def load_commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of a group that are not hidden, each imported."""
    for name in group.list_commands(context):
        listed = group.get_command(context, name)
        if listed is not None and not listed.hidden:
            _, command, _ = group.resolve_command(context, [name, "--help"])
            assert command is not None
            yield name, command


def _write_list(commands: Mapping[str, click.Command], context: click.Context) -> str:
    rows = [
        f"| [`fas {name}`](../commands/{name}.md) | {escape(command.get_short_help_str(200))} |"
        for name, command in commands.items()
    ]
    options = "\n".join(_write_options(main, context))
    return (
        "# Commands\n\nEach page is made from the command itself. `fas COMMAND --help` prints the same.\n\n"
        f"| command | what it does |\n|---|---|\n{chr(10).join(rows)}\n\n"
        f"## Options of `fas` itself\n\nThey stand before the command.\n\n{options}"
    )


def _write_command(command: click.Command, parent: click.Context, name: str, level: int = 2) -> str:
    """Return usage, text, arguments and options of a command, and those of its own commands."""
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    texts = [f"```text\n{usage}\n```", _write_help(command.help or ""), *_write_options(command, context)]
    texts += [_write_help(command.epilog or "")]
    if isinstance(command, WithExamples) and command.examples:
        texts.insert(2, f"```sh\n{command.examples.strip()}\n```")
    if isinstance(command, click.Group):
        for child, loaded in load_commands(command, context):
            title = f"{'#' * level} {context.command_path} {child}"
            texts.append(f"{title}\n\n{_write_command(loaded, context, child, level + 1)}")
    return "\n\n".join(filter(None, texts))


def _write_help(text: str) -> str:
    """Return a help text as Markdown: paragraphs, and blocks after `\\b` as they are."""
    paragraphs = []
    for paragraph in PARAGRAPHS.split(text.partition("\f")[0].strip()):
        prose, _, lines = paragraph.partition("\b\n")
        if lines or "\b" in paragraph:
            paragraphs.append(f"{escape(prose.strip())}\n\n```text\n{lines.rstrip()}\n```".strip())
        else:
            paragraphs.append(escape(" ".join(paragraph.split())))
    return "\n\n".join(filter(None, paragraphs))


def _write_options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the definition lists of a command's arguments and options, a list for each panel of its help."""
    panels: dict[str, list[str]] = {}
    for parameter in list_parameters(command, context):
        panels.setdefault(_find_panel(parameter), []).append(_write_parameter(parameter, context))
    for panel, items in panels.items():
        yield f"**{panel}**\n\n" + "\n".join(items)


def list_parameters(command: click.Command, context: click.Context) -> list[click.Parameter]:
    """Return the arguments and options that help shows."""
    parameters = command.get_params(context)
    return [item for item in parameters if not (isinstance(item, click.Option) and item.hidden)]


def _find_panel(parameter: click.Parameter) -> str:
    """Return the heading under which the help shows a parameter."""
    if isinstance(parameter, PanelOption) and parameter.panel:
        return parameter.panel
    return "Arguments" if isinstance(parameter, click.Argument) else "Options"


def _write_parameter(parameter: click.Parameter, context: click.Context) -> str:
    if isinstance(parameter, click.Argument):
        kind = "required" if parameter.required else "optional"
        return write_term(f"`{parameter.make_metavar(context)}`", f"{kind.capitalize()}.")
    record = parameter.get_help_record(context)
    assert record is not None  # only hidden options have none
    return write_term(f"`{record[0]}`", escape(" ".join(record[1].split())))
