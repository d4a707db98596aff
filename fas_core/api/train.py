"""Training for notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fas_core.api.recipes import load_recipe, resolve_overrides
from fas_core.config.load import DEFAULT, locate
from fas_core.config.recipe import Recipe
from fas_core.errors import require
from fas_core.registry import registry
from fas_core.user_paths import expand_user

if TYPE_CHECKING:
    from fas_core.runs.run import Run


def train(
    recipe: str | Path | Recipe = DEFAULT,
    *,
    name: str | None = None,
    runs: str | Path = "runs",
    **overrides: Any,
) -> Run:
    """Train a recipe into a new run folder and evaluate it, as `fas train` does; return the run.

    Of a recipe with `folds` a run is trained for each, and the final one, on all of train, is returned.

    Args:
        recipe: name of a shipped recipe, a YAML file, or a recipe; see `load_recipe`.
        name: of the run's folder; by default the recipe's name (`run` for a recipe that is loaded already),
            numbered where it is used.
        runs: folder of the runs.
        overrides: what is changed in the recipe, see `load_recipe`.

    Raises:
        FasError: recipe, data or folder cannot be used; nothing is written then.
        KeyboardInterrupt: by a signal, as of a notebook's stop button; the state is saved, and
            `fas train --resume RUN` goes on.

    Example:
        >>> run = train("quickstart", data="CASIA-SURF", train={"epochs": 10})  # doctest: +SKIP
        >>> run.path  # doctest: +SKIP
        PosixPath('runs/quickstart')
    """
    require("train", "torch", "accelerate", "safetensors")
    from fas_core.exporting.export_run import open_run
    from fas_core.runs.owner import owning, owning_numbered
    from fas_core.training.start import saying_how_to_resume, start_recipe

    changes, folder = resolve_overrides(overrides), expand_user(runs)
    loaded = load_recipe(recipe, **changes)
    own_name = "run" if isinstance(recipe, Recipe) else locate(str(recipe), registry()).stem
    with owning_numbered(folder / own_name) if name is None else owning(folder / name) as free:
        path = free or folder / str(name)
        with saying_how_to_resume(path):
            start_recipe(path, loaded, registry(), changes)
    return open_run(path, registry())
