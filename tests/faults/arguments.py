"""Arguments that no command may answer with a traceback, for every parameter of every command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import click
from attrs import frozen

from fas_core.cli import main

NUL, LONG, DEEP = "a\0b", "x" * 300, "a/" * 3000
TEXTS = (
    *("", NUL, LONG, DEEP, "[/x]", "[bold]x", "-", "nan", "inf", "-1", "0", "1e999", "9" * 5000, "2.5"),
    *("fixed:nan", "fixed:inf", "eer:", "apcer:nan", "\udcff", "..", "{", "[", "!!int x", "a=!!float ", ":"),
    *(
        "train.lr=!!bool x",
        "data=!!binary x",
        "train.seed=" + "9" * 5000,
        "data.root=!!str '\\0'",
        "id=" + LONG,
    ),
)
"""Values of parameters, besides paths."""


@frozen
class Subject:
    """A command, by the words that call it."""

    words: tuple[str, ...]
    command: click.Command

    @property
    def name(self) -> str:
        return " ".join(self.words)


def list_commands() -> dict[str, Subject]:
    """Return all commands that are no groups, by name."""
    return {subject.name: subject for subject in _walk(main, (), click.Context(main))}


def _walk(group: click.Group, words: tuple[str, ...], context: click.Context) -> Iterator[Subject]:
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        assert command is not None
        if isinstance(command, click.Group):
            yield from _walk(command, (*words, name), click.Context(command, parent=context))
        else:
            yield Subject((*words, name), command)


def list_vectors(
    subject: Subject, valid: Sequence[str], folder: Path, options: Sequence[str] = ()
) -> Iterator[list[str]]:
    """Yield argument vectors: each parameter with each bad value, the others with valid ones.

    Args:
        subject: the command.
        valid: values of the arguments; `{}` in them is a number that differs in each vector.
        folder: the current folder, in which files are made.
        options: of every vector, before the others.
    """
    numbers = count()
    parameters = [item for item in subject.command.params if isinstance(item, click.Option)]
    required = [item for item in parameters if item.required]

    def vector(index: int | None, option: click.Option | None, value: str) -> list[str]:
        number = next(numbers)
        words = [*subject.words, *options]
        for other in required:
            if other is not option:
                words += [other.opts[0], _choose_valid(other, number)]
        if option is not None:
            words.append(f"{option.opts[0]}={value}")
        arguments = [value if place == index else text.format(number) for place, text in enumerate(valid)]
        return [*words, "--", *arguments]

    for value in (*TEXTS, *_make_files(folder)):
        for index in range(len(valid)):
            yield vector(index, None, value)
        for option in parameters:
            if not option.is_flag:
                yield vector(None, option, value)


def _make_files(folder: Path) -> list[str]:
    """Make a folder and files that are no such files; return their names."""
    (folder / "folder").mkdir(exist_ok=True)
    names = ["empty.csv", "empty.onnx", "binary.yaml"]
    for name in names:
        (folder / name).write_bytes(bytes(range(256)) * (9 * name.startswith("binary")))
    return [*names, "folder", "empty.csv/below"]


def _choose_valid(option: click.Option, number: int) -> str:
    choices = getattr(option.type, "choices", None)
    return str(choices[0]) if choices else f"out/{number}"
