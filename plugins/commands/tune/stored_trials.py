"""The trials in a database, checked before they are used: a search does not go on from damaged ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from fas_plugins.commands.tune.space import Choices, Space

RUN = re.compile(r"trial-\d{1,18}")
"""Names of the trials' run folders."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError)
"""What Optuna and SQLAlchemy raise for values that they did not write."""


def check_trials(study: optuna.Study, space: Space) -> None:
    """Check that a study minimises one value, and that every trial is as `fas tune` writes it.

    Raises:
        ValueError: it is not; the message names the trial.
        Exception: one of `UNREADABLE`, of Optuna.
    """
    if study.directions != [StudyDirection.MINIMIZE]:
        raise ValueError("the study does not minimise")
    for number, trial in enumerate(study.trials):
        if trial.number != number or not _is_valid(trial, space):
            raise ValueError(f"trial {number} is not as it was written")


def _is_valid(trial: FrozenTrial, space: Space) -> bool:
    run, reason = trial.user_attrs.get("run"), trial.user_attrs.get("reason", "")
    fixed = trial.system_attrs.get("fixed_params", {})
    is_finished = trial.state == TrialState.COMPLETE
    return (
        isinstance(reason, str)
        and (run is None or (isinstance(run, str) and RUN.fullmatch(run) is not None))
        and (_is_rate(trial.value) if is_finished or trial.value is not None else True)
        and not (is_finished and run is None)
        and all(_is_rate(value) for value in trial.intermediate_values.values())
        and all(type(epoch) is int for epoch in trial.intermediate_values)
        and _are_values(trial.params, space)
        and isinstance(fixed, Mapping)
        and _are_values(fixed, space)
    )


def _is_rate(value: object) -> bool:
    return isinstance(value, float) and isfinite(value)


def _are_values(params: Mapping[str, Any], space: Space) -> bool:
    """Return whether parameters are some keys of the space, with values of theirs."""
    return all(key in space and _is_value(value, space[key]) for key, value in params.items())


def _is_value(value: object, dimension: object) -> bool:
    if isinstance(dimension, Choices):
        return value in dimension.texts
    return isinstance(value, int | float) and isfinite(value)
