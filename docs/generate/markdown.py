"""Text of the code as Markdown."""

from __future__ import annotations

import re

from fas_core.config.option_docs import OptionDoc

SPECIAL = re.compile(r"[\\<>*_\[\]|]")
HTML = {"<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    """Escape what Markdown would read as marks, but not within backticks."""
    pieces = re.split(r"(`[^`]+`)", text)
    return "".join(piece if piece.startswith("`") else SPECIAL.sub(_escape_mark, piece) for piece in pieces)


def _escape_mark(mark: re.Match[str]) -> str:
    return HTML.get(mark[0], f"\\{mark[0]}")


def write_term(term: str, meaning: str) -> str:
    """Return an item of a definition list."""
    return f"{term}\n:   {meaning or 'See above.'}\n"


def write_option(name: str, option: OptionDoc) -> str:
    """Return an option of a recipe: its name, type, default and rule, and below them what it means."""
    facts = "; ".join(filter(None, (_link(option.type), _write_default(option.default), escape(option.rule))))
    meaning = f"\n\n    {escape(_capitalize(option.meaning))}" if option.meaning else ""
    return f"`{name}`\n:   {facts}.{meaning}\n"


def _write_default(text: str) -> str:
    """Return a default as words and code."""
    return text if text in ("required", "computed", "") else f"default `{text}`"


def _link(text: str) -> str:
    """Escape a text but its links."""
    return text if "](" in text else escape(text)


def _capitalize(text: str) -> str:
    """Return a text that begins like a sentence, unless it begins with code."""
    return text[:1].upper() + text[1:]
