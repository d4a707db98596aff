"""`fas` alone: three things that one can do next, by what is in this folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from fas_core.console import console
from fas_core.data.model_formats import find_runtime
from fas_core.runs.files import RESULTS, holds_runs

RUNS = Path("runs")

Step = tuple[str, tuple[object, ...]]
"""What it is for, and the words of a command."""

OWN_FACES = (
    "train on your own faces, in folders live and attack",
    ("fas", "train", "nuaa-feathernet-b", "--data", "FACES"),
)


def show_first_steps() -> None:
    """Print three commands that go on from here, as lines for a shell, each after what it is for."""
    situation, steps = _choose_steps()
    lines = [f"  # {purpose}\n  {shlex.join(map(str, words))}" for purpose, words in steps]
    console.lines("\n".join((f"{situation} Next:", *lines, "All commands: fas --help")))


def _choose_steps() -> tuple[str, tuple[Step, Step, Step]]:
    """Return what is here, in a sentence, and the steps."""
    if model := _find_newest(path for path in _list_files() if find_runtime(path) is not None):
        return f"{model} is a model to use.", _use(model)
    run = _find_newest(path for path in _list(RUNS, "*") if holds_runs(path))
    if run is None:
        return "There is no run in this folder yet.", _begin()
    if (run / RESULTS).is_file():
        return f"{run} is trained.", _judge(run)
    return f"{run} is not trained to its end.", _go_on(run)


def _begin() -> tuple[Step, Step, Step]:
    train = ("train a first model, on simulated faces: minutes on two cores", ("fas", "train"))
    install = ("install what training takes", ("pip", "install", "fas-core[train]"))
    return (
        install if find_spec("torch") is None else train,
        ("take a public model, for verdicts on photos at once", ("fas", "models", "get")),
        ("look for mistakes in your own photos", ("fas", "data", "check", "PHOTOS")),
    )


def _go_on(run: Path) -> tuple[Step, Step, Step]:
    return (
        ("go on where it stopped", ("fas", "train", "--resume", run)),
        ("see how far the runs are", ("fas", "runs", "list")),
        OWN_FACES,
    )


def _judge(run: Path) -> tuple[Step, Step, Step]:
    return (
        ("see what it lets pass and whom it refuses, as a page", ("fas", "report", run)),
        ("write it as one file, which runs without PyTorch", ("fas", "export", run)),
        OWN_FACES,
    )


def _use(model: Path) -> tuple[Step, Step, Step]:
    return (
        ("live or attack? for a folder of photos", ("fas", "predict", model, "PHOTOS")),
        ("try it with a webcam, and let other programs ask it", ("fas", "serve", model)),
        ("set its threshold on live photos of your place", ("fas", "calibrate", model, "PHOTOS")),
    )


def _list_files() -> list[Path]:
    """Return the files here and in the folders of runs."""
    folders = (Path(), *_list(RUNS, "*"))
    return [path for folder in folders for path in _list(folder, "*.*") if path.is_file()]


def _list(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern)) if folder.is_dir() else []


def _find_newest(paths: Iterable[Path]) -> Path | None:
    return max(paths, key=lambda path: path.stat().st_mtime, default=None)
