"""The folder of a study: Optuna's database, and a run folder for each trial.

```
study.db            Optuna's trials; it also says which recipe and which space they are of
trial-0/ ...        a run each
best.yaml           the recipe of the best trial so far
```

Every command that is given the same recipe, space and folder works on the same study, also at the same time.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage, fail_stale_trials
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from fas_core.atomic import make_folder, temporary_folder
from fas_core.config.load import to_plain
from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.errors import FasError
from fas_core.names import replace_surrogates
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.run import structure_recipe
from fas_core.text_files import shorten
from fas_plugins.commands.tune.space import Space
from fas_plugins.commands.tune.stored_trials import UNREADABLE, check_trials

DATABASE = "study.db"
BEST = "best.yaml"

HEARTBEAT, GRACE = 10, 60
"""Seconds between the signs of life of a running trial, and those without one after which it is dead."""

LOCK_TIMEOUT = 60
"""Seconds that a command waits for another that writes to the database."""

HERE = ("train.device", "train.workers")
"""Keys in which the commands that work on a study may differ: they say where a trial runs."""


def open_study(folder: Path, recipe: Recipe, space: Space, registry: Registry) -> optuna.Study:
    """Open the study in a folder, or make it.

    Raises:
        FasError: it is of another recipe or space, the folder holds runs of its own, or cannot be written.
    """
    if not str(folder).isascii() and str(folder) != replace_surrogates(str(folder)):
        raise FasError(f"{folder}: a path that is not UTF-8, which no database takes: choose another folder")
    recipe_tree = _comparable(to_plain(recipe, registry))
    space_tree = {key: dimension.to_plain() for key, dimension in space.items()}
    with explaining_errors(folder):
        if not (folder / DATABASE).exists():
            if files.holds_runs(folder):
                raise FasError(f"{folder}: holds runs: choose another --name")
            _create(folder, {"recipe": recipe_tree, "space": space_tree})
    study = _load(folder / DATABASE)
    stored = study.user_attrs
    former = structure_recipe(stored.get("recipe"), registry, str(folder / DATABASE))
    different = [] if _comparable(to_plain(former, registry)) == recipe_tree else ["recipe"]
    different += [] if stored.get("space") == space_tree else ["space"]
    if different:
        other = " and ".join(different)
        raise FasError(f"{folder}: holds a study of another {other}: choose another --name")
    with _explaining_damage(folder / DATABASE):
        check_trials(study, space)
    return study


def _load(path: Path) -> optuna.Study:
    """Open a database that is there; raise FasError if it is none of ours."""
    with _explaining_damage(path):
        storage = _storage(path)
        if len(optuna.get_all_study_names(storage)) != 1:
            raise FasError(f"{path}: not what `fas tune` writes: choose another --name")
        return optuna.load_study(study_name=None, storage=storage)


def _comparable(tree: Mapping[str, Any]) -> Any:
    """Return a recipe as JSON reads it back, without what does not make it another."""
    train = {key: value for key, value in tree["train"].items() if f"train.{key}" not in HERE}
    return json.loads(json.dumps({**tree, "train": train}))


def _create(folder: Path, facts: Mapping[str, Any]) -> None:
    """Make the database, whole or not at all; where another command is faster, that one's stays."""
    try:
        make_folder(folder)
    except OSError as error:
        raise FasError(f"{folder}: cannot be made: {error.strerror or error}") from error
    with temporary_folder(folder) as temporary:
        path = temporary / DATABASE
        storage = _storage(path)
        study = optuna.create_study(study_name=folder.name, storage=storage, direction="minimize")
        for key, value in facts.items():
            study.set_user_attr(key, value)
        storage.engine.dispose()
        with suppress(FileExistsError):
            os.link(path, folder / DATABASE)


def _storage(path: Path) -> RDBStorage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return RDBStorage(
            URL.create("sqlite", database=str(path)).render_as_string(),
            engine_kwargs={"connect_args": {"timeout": LOCK_TIMEOUT}},
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            heartbeat_stale_trial_callback=repeat_trial,
        )


@contextmanager
def explaining_errors(folder: Path) -> Iterator[None]:
    """Raise FasError where the database in a folder cannot be read or written."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ or error
        reason = (str(getattr(cause, "orig", cause)).splitlines() or [type(cause).__name__])[0]
        raise FasError(f"{folder / DATABASE}: cannot be used: {reason}") from error


@contextmanager
def _explaining_damage(path: Path) -> Iterator[None]:
    """Raise FasError where a database cannot be read, or holds what nobody wrote."""
    with explaining_errors(path.parent):
        try:
            yield
        except UNREADABLE as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise FasError(f"{path}: damaged: {shorten(reason, 200)}: choose another --name") from error


def repeat_trial(study: optuna.Study, trial: FrozenTrial | Trial) -> None:
    """Enter a trial that was stopped or killed anew, before others: it goes on in the same run folder."""
    study.enqueue_trial(trial.params, user_attrs=trial.user_attrs)


def wait_for_others(study: optuna.Study, trials: int) -> None:
    """Wait while the trials that other commands run are all that a study of `trials` lacks.

    Trials whose process died are marked failed, and entered anew.
    """
    is_announced = False
    while True:
        _fail_dead_trials(study)
        missing, states = trials - count_judged(study), [trial.state for trial in study.trials]
        if states.count(TrialState.RUNNING) < max(missing, 1) or TrialState.WAITING in states:
            return
        if not is_announced:
            console.info(f"waiting for {missing} trials that other commands run, or ran up to {GRACE} s ago")
            is_announced = True
        time.sleep(HEARTBEAT)


def _fail_dead_trials(study: optuna.Study) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        fail_stale_trials(study)


def count_judged(study: optuna.Study) -> int:
    """Return how many trials have a result: finished, pruned, or failed by themselves, as by a NaN loss."""
    return sum(is_judged(trial) for trial in study.trials)


def is_judged(trial: FrozenTrial) -> bool:
    """Return whether a trial has a result; one that was killed has none, and is entered anew."""
    failed = trial.state == TrialState.FAIL and "reason" in trial.user_attrs
    return failed or trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
