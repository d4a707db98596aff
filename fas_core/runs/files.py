"""Names of the files in a run folder and in a folder of runs."""

from __future__ import annotations

from pathlib import Path

RECIPE = "recipe.yaml"
ENVIRONMENT = "environment.json"
METRICS = "metrics.jsonl"
STATE = "state.pt"
BEST = "best.safetensors"
NOVELTY = "novelty.safetensors"
RESULTS = "results.json"
DIGESTS = "digests.json"
FOLDS = "folds.yaml"
PROTOCOLS = "protocol_set.yaml"

OUT_OF_FOLD = "out_of_fold"
"""Stem of the score file of a cross-validation, beside those of splits."""

MODEL_SUFFIXES = (".onnx", ".xml")
"""File name endings of exported models that the runtime opens."""


def score_file(run: Path, name: str) -> Path:
    """Return the file of a run's scores: of a split, or `OUT_OF_FOLD`."""
    return run / "scores" / f"{name}.csv"


def holds_runs(path: Path) -> bool:
    """Return whether a folder holds a run, or a group of runs."""
    return any((path / name).exists() for name in (RECIPE, PROTOCOLS, FOLDS))
