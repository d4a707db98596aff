"""The scores of whatever a user names: a score file, or one split of a run folder or an exported model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fas_core.console import console
from fas_core.errors import DataError, require
from fas_core.scores.table import ScoreTable

if TYPE_CHECKING:
    from fas_core.scores.files import Reading


def scores_of(
    target: Path,
    split: str,
    *,
    workers: int = 2,
    data: str | None = None,
    labels: Path | None = None,
    reading: Reading | None = None,
) -> ScoreTable:
    """Read the scores of a file or of a run's split; score now what a run does not hold, and models.

    Args:
        target: a score file (`labels` and `reading` as for `read_file`), run folder or exported model.
        workers: threads that read images where it is scored now.
        data: data to score now instead of the run's own, as a user names them.

    Raises:
        FasError: there is no such file, run or split, or it cannot be read.
    """
    from fas_core.runs.files import is_model, is_run_folder

    if is_run_folder(target):
        stored = stored_scores(target, split)
        return _score(target, split, workers, data) if stored is None else stored
    if is_model(target):
        return _score(target, split, workers, data)
    return read_file(target, labels, reading)


def read_file(path: Path, labels: Path | None = None, reading: Reading | None = None) -> ScoreTable:
    """Read any score file, labelled or not; print how it was understood unless it has this project's columns.

    Args:
        labels: a list of labels, `path [path path] label` or any table with ids and labels.
        reading: how it is to be read; None to find out.

    Raises:
        DataError: it cannot be read, or has no ids.
    """
    from fas_core.scores.files import read_scores

    scores = read_scores(path, reading, labels, need_labels=False)
    if not scores.has_ids:
        raise DataError(f"{path}: no ids, by which scores are joined")
    if (scores.columns["id"], scores.columns["score"]) != ("id", "score") or labels:
        console.info(scores.description)
    return scores.table


def stored_scores(run: Path, split: str) -> ScoreTable | None:
    """Read the scores that a run folder holds of a split; None where it holds none."""
    from fas_core.runs.score_files import read_scores

    return read_scores(run, split)


def names_of(targets: Sequence[Path]) -> list[str]:
    """Return unique names of systems for tables: the last components of their paths, as few as differ.

    Raises:
        DataError: a path is given twice.
    """
    paths = [target.resolve() for target in targets]
    for target, path in zip(targets, paths, strict=True):
        if paths.count(path) > 1:
            raise DataError(f"{target}: given twice")
    components = [
        (*path.parent.parts, path.stem if target.is_file() else path.name)
        for target, path in zip(targets, paths, strict=True)
    ]
    for depth in range(1, max(map(len, components)) + 1):
        names = ["/".join(names[-depth:]) for names in components]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _score(target: Path, split: str, workers: int, data: str | None) -> ScoreTable:
    from fas_core.runs.files import is_run_folder

    if is_run_folder(target):
        require("train", "torch", "safetensors")
    from fas_core.inference.loaded_model import load_model
    from fas_core.inference.model_data import open_data
    from fas_core.inference.score_samples import SplitOptions, score_split
    from fas_core.registry import registry

    model, options = load_model(target, registry()), SplitOptions(split, workers=workers)
    reader = open_data(model, data, registry())
    return score_split(model, reader, options, description=f"{target} {split}").scores
