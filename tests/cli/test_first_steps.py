"""`fas` alone: three things to do next, by what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from fas_core.cli import first_steps

Fas = Callable[..., Result]
TRAINED = ("recipe.yaml", "results.json")


@pytest.fixture
def steps(fas: Fas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, list[str]]]:
    """`steps("runs/a/recipe.yaml", ...)`: the first line, and the commands, in a folder with these files."""
    monkeypatch.chdir(tmp_path)

    def made(*files: str) -> tuple[str, list[str]]:
        for number, name in enumerate(files):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            for changed in (path, path.parent):
                os.utime(changed, (number, number))
        shown = fas()
        assert shown.exit_code == 0
        first, *lines, last = shown.stdout.splitlines()
        assert max(map(len, (first, *lines))) <= 80
        assert last == "All commands: fas --help"
        assert [line[:4] == "  # " for line in lines] == [True, False] * 3
        return first, [line.strip() for line in lines[1::2]]

    return made


def test_an_empty_folder(steps: Callable[..., tuple[str, list[str]]]) -> None:
    assert steps() == (
        "There is no run in this folder yet. Next:",
        ["fas train", "fas models get", "fas data check PHOTOS"],
    )


def test_without_torch_the_first_step_installs_it(
    steps: Callable[..., tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_steps, "find_spec", lambda name: None)
    assert steps()[1][0] == "pip install 'fas-core[train]'"


def test_the_newest_of_trained_runs(steps: Callable[..., tuple[str, list[str]]]) -> None:
    first, commands = steps(*(f"runs/{name}/{file}" for name in ("a", "b b") for file in TRAINED))
    assert first == "runs/b b is trained. Next:"
    assert commands == [
        "fas report 'runs/b b'",
        "fas export 'runs/b b'",
        "fas train nuaa-feathernet-b --data FACES",
    ]


def test_a_run_that_was_stopped(steps: Callable[..., tuple[str, list[str]]]) -> None:
    first, commands = steps("runs/notes/todo.txt", "runs/a/recipe.yaml")
    assert first == "runs/a is not trained to its end. Next:"
    assert commands[:2] == ["fas train --resume runs/a", "fas runs list"]


@pytest.mark.parametrize("model", ["runs/a/model.onnx", "door.onnx", "door.xml"])
def test_an_exported_model(model: str, steps: Callable[..., tuple[str, list[str]]]) -> None:
    first, commands = steps(*(f"runs/a/{file}" for file in TRAINED), model)
    assert first == f"{model} is a model to use. Next:"
    assert commands == [f"fas predict {model} PHOTOS", f"fas serve {model}", f"fas calibrate {model} PHOTOS"]


@pytest.mark.parametrize(
    "files", [(), ("runs/a/recipe.yaml",), ("runs/a/recipe.yaml", "runs/a/results.json")]
)
def test_every_step_is_a_command_that_there_is(
    files: tuple[str, ...],
    steps: Callable[..., tuple[str, list[str]]],
    fas: Fas,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, commands = steps(*files)
    _, more = steps("model.onnx")
    assert commands != more
    monkeypatch.setattr(click.Command, "invoke", lambda self, ctx: None)
    for command in commands + more:
        assert fas(*command.split()[1:]).exit_code == 0, command


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys, atexit\n"
        "names = ('torch', 'onnxruntime', 'cv2', 'numpy', 'pyarrow')\n"
        "atexit.register(lambda: print(*(name for name in names if name in sys.modules), file=sys.stderr))\n"
        "from fas_core.cli import main\n"
        "main()"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == "\n"
