"""The class of `fas` commands, whose help has examples."""

from __future__ import annotations

import inspect
from typing import Any

import rich_click as click
from rich_click import RichContext, RichHelpFormatter


class FasCommand(click.RichCommand):
    """A command whose help shows how it is called.

    Args:
        examples: lines of a shell, of at most 76 characters: a comment on what it is for before each command.
    """

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = inspect.cleandoc(examples)

    def format_help_text(self, ctx: RichContext, formatter: RichHelpFormatter) -> None:  # type: ignore[override]
        super().format_help_text(ctx, formatter)
        if self.examples:
            _write_examples(self.examples, formatter)


def _write_examples(examples: str, formatter: RichHelpFormatter) -> None:
    """Write the examples as they are, so that a shell takes what is copied."""
    from rich.padding import Padding
    from rich.text import Text

    text = Text("Examples:")
    for line in examples.splitlines():
        text.append(f"\n  {line}", "dim" if line.startswith("#") else "bold")
    formatter.write(Padding(text, (0, 1, 1, 1)))
