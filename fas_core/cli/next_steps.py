"""The commands that go on from a run or an exported model, printed so that a user can paste them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fas_core.card import Card
from fas_core.config.components import DatasetChoice
from fas_core.console import console
from fas_core.data.model_formats import find_runtime
from fas_core.errors import FasError
from fas_core.registry import registry
from fas_core.runs.groups import FoldRuns, open_path, open_runs
from fas_core.runs.run import Run
from fas_core.runs.run_sets import RunSet
from fas_core.runtime.model_file import ModelFile

PHOTO = (Path("PHOTO"),)
"""Stands for the images of a sample where none is at hand."""

NO_THRESHOLD = ("--threshold", "fixed:0.5")
"""What the commands that give verdicts need where the model has no threshold."""

Step = tuple[object, ...]


def show_training_steps(path: Path, photos: Sequence[Path] = PHOTO) -> None:
    """Print what can be done with what `fas train` wrote; `photos` are the images of one sample."""
    opened = open_runs(path, registry())
    if isinstance(opened, RunSet):
        console.next_steps(("fas", "report", path), ("fas", "eval", path, "--scores", "FOLDER"))
    elif isinstance(opened, FoldRuns) and not opened.final:
        console.next_steps(("fas", "train", "--resume", path, "--final"))
    else:
        run = opened.final_run() if isinstance(opened, FoldRuns) else opened
        verdicts = _verdicts(run.path / "model.onnx", photos, _has_threshold(run))
        console.next_steps(*_figures(run, "report", "eval"), ("fas", "export", run.path), *verdicts)


def show_evaluation_steps(path: Path) -> None:
    """Print what can be done with an evaluated run or exported model."""
    opened = open_path(path, registry())
    if isinstance(opened, ModelFile):
        console.next_steps(*_verdicts(path, PHOTO, opened.card.threshold is not None))
        return
    if isinstance(opened, RunSet):
        console.next_steps(("fas", "report", path))
        return
    run = opened.final_run() if isinstance(opened, FoldRuns) else opened
    predict = ("fas", "predict", run.path, *PHOTO, *(() if _has_threshold(run) else NO_THRESHOLD))
    console.next_steps(*_figures(run, "report"), ("fas", "export", run.path), predict)


def show_export_steps(paths: Sequence[Path], card: Card, data: DatasetChoice) -> None:
    """Print what can be done with the first of the exported files that `fas` runs; nothing where none is.

    `data` is the run's: the card does not say where it lies.
    """
    if path := next(filter(_runs_at_once, paths), None):
        flags = () if data.root is None else ("--data", f"{data.name}:{data.root}")
        evaluate = [("fas", "eval", path, *flags)] if "test" in card.data else []
        console.next_steps(*evaluate, *_verdicts(path, PHOTO, card.threshold is not None))


def _runs_at_once(path: Path) -> bool:
    """Whether a runtime opens a file, and asks for no trust before."""
    runtime = find_runtime(path)
    return runtime is not None and not runtime.runs_code


def _has_threshold(run: Run) -> bool:
    try:
        run.threshold()
    except FasError:
        return False
    return True


def _figures(run: Run, *commands: str) -> list[Step]:
    """Return commands that need the labelled scores of a split, where the run has such scores."""
    for split, flags in (("test", ()), ("dev", ("--split", "dev"))):
        scores = run.stored_scores(split)
        if scores is not None and scores.is_labelled():
            return [("fas", command, run.path, *flags) for command in commands]
    return []


def _verdicts(model: Path, photos: Sequence[Path], threshold: bool) -> list[Step]:
    flags = () if threshold else NO_THRESHOLD
    crops = () if photos is PHOTO else ("--no-detect",)  # the training data are as the model takes them
    return [("fas", "predict", model, *photos, *crops, *flags), ("fas", "serve", model, *flags)]
