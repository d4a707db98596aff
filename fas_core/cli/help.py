"""The help of a command, drawn by rich_click."""

from __future__ import annotations

from typing import Any

import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich_click import RichContext, RichHelpFormatter
from rich_click.rich_help_rendering import get_rich_epilog, get_rich_help_text
from rich_click.rich_panel import construct_panels


def render_help(command: click.Command, ctx: click.Context, examples: str) -> str:
    """Return usage, description, examples, and options and commands by their `panel`."""
    context = RichContext(command, parent=ctx.parent, info_name=ctx.info_name, **command.context_settings)
    formatter = context.make_formatter()
    drawn: Any = command  # rich_click takes any command for one of its own here
    command.format_usage(context, formatter)
    get_rich_help_text(drawn, context, formatter)
    if examples:
        _write_examples(examples, formatter)
    for panel in construct_panels(drawn, context, formatter):
        box = panel.render(drawn, context, formatter)
        if not isinstance(box.renderable, Table) or box.renderable.row_count:
            formatter.write(box)
    get_rich_epilog(drawn, context, formatter)
    return formatter.getvalue().rstrip("\n")


def _write_examples(examples: str, formatter: RichHelpFormatter) -> None:
    """Write the examples as they are, so that a shell takes what is copied."""
    text = Text("Examples:")
    for line in examples.splitlines():
        text.append(f"\n  {line}", "dim" if line.startswith("#") else "bold")
    formatter.write(Padding(text, (0, 1, 1, 1)))
