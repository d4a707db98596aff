"""Starting what a recipe asks for: one run, or where it has folds one for each and the final one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fas_core.config.load import apply_overrides
from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.data.reading_processes import WorkerError
from fas_core.errors import ConfigError
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.training import cross_validation, job
from fas_core.training.cross_validation import FoldsOutcome
from fas_core.training.distribution import PeerError
from fas_core.training.job import Outcome


@contextmanager
def saying_how_to_resume(path: Path) -> Iterator[None]:
    """Name the command that continues a training that was interrupted, or whose reading processes died."""
    try:
        yield
    except (KeyboardInterrupt, WorkerError, PeerError):
        if any((path / name).exists() for name in (files.STATE, *files.GROUPS)):
            console.warn(f"saved: continue with `fas train --resume {path}`")
        raise


def start_recipe(
    path: Path, recipe: Recipe, registry: Registry, overrides: Mapping[str, Any], *, final: bool = True
) -> Outcome | FoldsOutcome:
    """Train a recipe into a new folder, and evaluate it.

    Args:
        overrides: what is changed in the recipe already, `{"train.lr": 0.02}`.
        final: whether folds end with a run on all of train.

    Raises:
        FasError: recipe, folder or data cannot be used; or `overrides` select the best weights, and there are
            folds.
        Interrupted: by a signal; the training can be continued.
    """
    if recipe.folds is None:
        return job.start(path, recipe, registry)
    if apply_overrides({}, overrides).get("train", {}).get("select") == "best":
        raise ConfigError("train.select: with folds the last weights count: no score may choose among them")
    return cross_validation.start(path, recipe, registry, final=final)
