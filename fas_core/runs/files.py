"""Names of the files in a run folder and in a folder of runs, and of model files."""

from __future__ import annotations

from pathlib import Path

from fas_core.data.fetched_models import is_public_model
from fas_core.data.model_formats import find_runtime

RECIPE = "recipe.yaml"
ENVIRONMENT = "environment.json"
METRICS = "metrics.jsonl"
STATE = "state.pt"
BEST = "best.safetensors"
NOVELTY = "novelty.safetensors"
RESULTS = "results.json"
DIGESTS = "digests.json"
HISTORY = "history.json"
OWNER = "owner.json"
FOLDS = "folds.yaml"
PROTOCOLS = "protocol_set.yaml"
SEEDS = "seeds.yaml"
RUN_SETS = (PROTOCOLS, SEEDS)
"""The files of sets of runs, whose figures are averaged."""
GROUPS = (FOLDS, *RUN_SETS)
"""The files of groups of runs."""

OUT_OF_FOLD = "out_of_fold"
"""Stem of the score file of a cross-validation, beside those of splits."""

TRAIN_LIVE = "train_live"
"""Stem of the score file of some live samples of train."""


def score_file(run: Path, name: str) -> Path:
    """Return the file of a run's scores: of a split, or `OUT_OF_FOLD`."""
    return run / "scores" / f"{name}.csv"


def is_model(path: Path) -> bool:
    """Return whether a path is that of a model: of a file that a runtime opens, or a fetched public model."""
    return find_runtime(path) is not None or is_public_model(path)


def is_run_folder(path: Path) -> bool:
    """Return whether a path is a folder and no model, so that it must be a run or a group of runs."""
    return path.is_dir() and not is_model(path)


def holds_runs(path: Path) -> bool:
    """Return whether a folder holds a run, or a group of runs."""
    return any((path / name).exists() for name in (RECIPE, *GROUPS))


def is_untrained_run(path: Path) -> bool:
    """Return whether a folder holds a run without state, weights, figures and scores."""
    written = {STATE, METRICS, RESULTS, "scores"}
    trained = any(file.name in written or file.suffix == ".safetensors" for file in path.glob("*"))
    return (path / RECIPE).is_file() and not trained
