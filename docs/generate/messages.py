"""The page of every error message, from the code that raises them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from generate.markdown import escape

ERRORS = ("FasError", "ConfigError", "DataError", "DeviceError", "ModelError", "PluginError")
PACKAGES = ("fas_core", "fas_plugins")

INTRODUCTION = """# Error messages

Every line with which `fas` refuses something, from the code that raises it; `…` stands for what is known
only at run time: names, paths, values. Search this page for a part of the message. [Errors and exit
codes](errors.md) says how to read one.

Not here: what click says of a command line that it cannot read, and messages of other people's plugins.
"""


@frozen(order=True)
class Message:
    """A message, `…` for what is filled in, and the folder of code that raises it."""

    folder: str
    text: str


def write_messages_page() -> str:
    """Return the page, the messages by the part of the code that they come from."""
    page = [INTRODUCTION]
    folders: dict[str, list[str]] = {}
    for message in sorted(set(read_messages())):
        folders.setdefault(message.folder, []).append(message.text)
    for folder, texts in folders.items():
        page.append(f"## `{folder}`\n\n" + "\n".join(f"- {escape(text)}" for text in texts) + "\n")
    return "\n".join(page)


def read_messages() -> Iterator[Message]:
    """Yield the message of every `raise` of an error of fas whose text is written where it is raised."""
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*.py")):
            if "templates" in path.parts:
                continue
            folder = ".".join([package, *path.relative_to(root).parent.parts])
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _is_error(node.func) and node.args:
                    text = _read_text(node.args[0])
                    if text.strip("… :"):
                        yield Message(folder, text)


def _is_error(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id in ERRORS


def _read_text(node: ast.expr) -> str:
    """Return the text of an expression, `…` for each part that is not written there."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(_read_text, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _read_text(left) + _read_text(right)
        case ast.IfExp(body=body, orelse=orelse):
            return f"{_read_text(body)} / {_read_text(orelse)}"
    return "…"
