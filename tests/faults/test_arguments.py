"""No arguments give a traceback: a command ends with 0, 1, 2 or 3, and an error is a line."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from faults.arguments import Subject, list_commands, list_vectors
from faults.counts import count

from fas_core.cli import main

COMMANDS = list_commands()
FAST = ("--replicates", "0")
SMALL = ("--set", "subjects=9", "--set", "shots=1", "--set", "size=48")
VALID: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "score": (["a.csv"], FAST),
    "drift": (["a.csv", "b.csv"], ["--replicates", "100"]),
    "ensemble": (["a.csv", "b.csv"], FAST),
    "report": (["a.csv"], ["--replicates", "0", "-o", "report.html"]),
    "card": (["RUN"], ["--replicates", "0", "-o", "card.md"]),
    "data check": (["faces"], []),
    "data crop": (["faces", "crops/{}"], []),
    "data frames": (["faces", "frames/{}"], []),
    "data show": (["faces"], []),
    "data split": (["faces"], []),
    "data stats": (["faces"], []),
    "data make": (["made/{}"], SMALL),
    "predict": (["RUN", "faces/dev/live/00.png"], []),
    "eval": (["RUN"], FAST),
    "export": (["RUN"], []),
    "calibrate": (["RUN"], ["--show"]),
    "explain": (["RUN", "faces/dev/live/00.png"], []),
    "models show": (["feathernet_a"], []),
    "config show": (["quickstart"], []),
}
"""Arguments that commands accept, and options that make them fast."""


def find_faults(vectors: Sequence[Sequence[str]]) -> list[str]:
    """Return what is wrong with the commands' answers."""
    faults = []
    count("command lines", len(vectors))
    for vector in vectors:
        result = CliRunner().invoke(main, vector)
        shown = " ".join(f"{word[:40]!r}" for word in vector)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            frame = traceback.extract_tb(result.exception.__traceback__)[-1]
            reason = f"{type(result.exception).__name__} {result.exception!s:.200}"
            faults.append(f"{shown}: {reason} at {frame.filename}:{frame.lineno}")
        elif result.exit_code not in (0, 1, 2, 3):
            faults.append(f"{shown}: exit code {result.exit_code}")
    return faults


def list_missing(subject: Subject, folder: Path) -> list[list[str]]:
    """Return vectors whose arguments name files that do not exist."""
    arguments = [item for item in subject.command.params if item.param_type_name == "argument"]
    return list(list_vectors(subject, ["missing"] * len(arguments), folder))


@pytest.fixture
def folder(tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with two score files and a data set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").symlink_to(faces)
    for name, seed in (("a.csv", 1), ("b.csv", 2)):
        scores = np.random.default_rng(seed).random(40)
        lines = [f"{name}{row},{row % 2},{score}\n" for row, score in enumerate(scores)]
        (tmp_path / name).write_text("id,label,score\n" + "".join(lines))
    return tmp_path


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"data make"}))  # that would make data
def test_bad_arguments_of_a_command_on_missing_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_faults(list_missing(COMMANDS[name], tmp_path)) == []


@pytest.mark.parametrize("name", ["score", "drift", "config show"])
def test_bad_arguments_of_a_command_on_valid_files(name: str, folder: Path) -> None:
    valid, options = VALID[name]
    assert find_faults(list(list_vectors(COMMANDS[name], valid, folder, options))[::7]) == []


@pytest.mark.long
@pytest.mark.parametrize("name", VALID)
def test_all_bad_arguments_of_a_command_on_valid_files(name: str, folder: Path, trained: Path) -> None:
    valid, options = VALID[name]
    valid = [str(trained) if text == "RUN" else text for text in valid]
    assert find_faults(list(list_vectors(COMMANDS[name], valid, folder, options))) == []
