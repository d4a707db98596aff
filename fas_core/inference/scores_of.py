"""What a user calls a system's scores: a score file, or a run folder (or model) and one of its splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fas_core.console import console
from fas_core.errors import DataError
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
    """The scores of a file; or of a run's split as the run holds them, else scored now (as of a model).

    Args:
        target: a score file, run folder or exported model.
        split: of a run or model.
        workers: threads that read images where it is scored now.
        data: other data than the run's own, as a user names it, to score where it is scored now.
        labels, reading: of a score file: see `read_file`.

    Raises:
        FasError: there is no such file, run or split, or it cannot be read.
    """
    if target.is_dir():
        stored = stored_scores(target, split)
        return _scored(target, split, workers, data) if stored is None else stored
    if target.suffix == ".onnx":
        return _scored(target, split, workers, data)
    return read_file(target, labels, reading)


def read_file(path: Path, labels: Path | None = None, reading: Reading | None = None) -> ScoreTable:
    """Anybody's score file, labelled or not; how it was understood is said where it has not our columns.

    Args:
        path: the file.
        labels: a list of labels, `path [path path] label` or any table with ids and labels.
        reading: how it is to be read; by default that is found out.

    Raises:
        DataError: it cannot be read as such, or has no ids.
    """
    from fas_core.scores.files import read_scores

    found = read_scores(path, reading, labels, need_labels=False)
    if not found.has_ids:
        raise DataError(f"{path}: no ids, by which scores are joined")
    if (found.columns["id"], found.columns["score"]) != ("id", "score") or labels:
        console.info(found.description)
    return found.table


def stored_scores(run: Path, split: str) -> ScoreTable | None:
    """What the best weights of a run gave a split; None where the run does not hold that."""
    file = run / "scores" / f"{split}.csv"
    return ScoreTable.read(file) if file.is_file() else None


def names_of(targets: Sequence[Path]) -> list[str]:
    """What tables call systems: the last part of their path, or as much of it as tells them apart.

    Raises:
        DataError: one is given twice.
    """
    paths = [target.resolve() for target in targets]
    if again := [str(target) for target, path in zip(targets, paths, strict=True) if paths.count(path) > 1]:
        raise DataError(f"{again[0]}: given twice")
    parts = [(*path.parent.parts, path.stem if target.is_file() else path.name) for target, path in
             zip(targets, paths, strict=True)]  # fmt: skip
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _scored(target: Path, split: str, workers: int, data: str | None) -> ScoreTable:
    from fas_core.errors import require
    from fas_core.inference.loaded_model import open_model
    from fas_core.inference.score_split import Terms, data_of, score_split
    from fas_core.registry import registry

    if target.is_dir():
        require("train", "torch", "safetensors")
    candidate = open_model(target, registry())
    reader = data_of(candidate, data, registry())
    terms = Terms(split=split, workers=workers)
    return score_split(candidate, reader, terms, description=f"{target} {split}").scores
