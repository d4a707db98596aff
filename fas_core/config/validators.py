"""Validators of a recipe's fields. Their errors name the field, the rule and the value."""

from __future__ import annotations

import re
from math import inf
from pathlib import Path
from typing import Any

from fas_core.errors import ConfigError
from fas_core.records.model_input import MAX_SIDE
from fas_core.scores import rejection
from fas_core.scores.thresholds import POLICIES, parse_policy

FOLDS = re.compile(r"(\w+(?:\+session)?)(?::(\d{1,9}))?")
"""COLUMN:K, COLUMN+session:K, or COLUMN (a fold for each of its values) of `Recipe.folds`."""

MAX_FOLDS = 200
"""Each is a training run."""


def check_between_0_and_1(_: object, attribute: Any, value: tuple[float, ...]) -> None:
    """Check that each is between 0 and 1."""
    if not all(0 <= number <= 1 for number in value):
        raise ValueError(f"'{attribute.name}' must be between 0 and 1: {list(value)}")


def check_positive(_: object, attribute: Any, value: tuple[float, ...]) -> None:
    """Check that each is > 0."""
    if not all(number > 0 for number in value):
        raise ValueError(f"'{attribute.name}' must be > 0: {list(value)}")


def check_factors(_: object, attribute: Any, value: dict[str, float]) -> None:
    """Check that each is > 0."""
    if not all(0 < number < inf for number in value.values()):
        raise ValueError(f"'{attribute.name}' must be > 0: {value} (train.freeze leaves layers as they are)")


def check_cache(train: Any, _: object, value: Path | None) -> None:
    """Check that it stands without `reduced_decoding`."""
    if value is not None and train.reduced_decoding:
        raise ValueError("a cache holds faces at full size: leave cache or reduced_decoding out")


def check_distillation(train: Any, _: object, value: Any) -> None:
    if value is not None and train.solver == "convex":
        raise ValueError("the convex solver fits labels alone: leave distillation or solver out")


def check_distilled_folds(recipe: Any, _: object, value: Any) -> None:
    """Refuse a teacher under folds: it was trained on the people that a fold holds out."""
    if value is not None and recipe.train.distillation is not None:
        raise ValueError("folds hold out people that the teacher has seen: leave train.distillation out")


def check_patches(model: Any, attribute: Any, value: Any) -> None:
    """Check that the face around the patches is not larger than images may be."""
    if value is not None and model.input_size / value.share > MAX_SIDE:
        raise ValueError(
            f"'{attribute.name}' must leave the face at most {MAX_SIDE} pixels: share {value.share}"
        )


def check_reduced_decoding(recipe: Any, _: object, value: Any) -> None:
    """Check that it is without `reduced_decoding` where the recipe has `crops`.

    Faces are detected in whole photos.
    """
    if value.reduced_decoding and recipe.crops:
        raise ValueError("train.reduced_decoding must be false with crops, which are of whole photos")


def check_range(low: float, high: float) -> Any:
    """Return a validator of pairs (a, b) with low < a <= b <= high."""

    rule = f"a pair low <= high in ({low:g}, {high:g}]"

    def check(_: object, attribute: Any, value: tuple[float, float]) -> None:
        if not low < value[0] <= value[1] <= high:
            raise ValueError(f"'{attribute.name}' must be {rule}: {list(value)}")

    check.__doc__ = f"Check that it is {rule}."
    return check


def check_policy(_: object, attribute: Any, value: str) -> None:
    """Check that it is a policy, and no oracle.

    A recipe's threshold never sees test scores.
    """
    try:
        valid = not parse_policy(value).oracle
    except ConfigError:
        valid = False
    if not valid:
        raise ValueError(f"'{attribute.name}' must be {POLICIES}: {value!r}")


def check_reject(_: object, attribute: Any, value: str | None) -> None:
    """Check that it is a band of scores, or a rule for one."""
    try:
        rejection.parse_reject(rejection.NONE if value is None else value)
    except ConfigError:
        raise ValueError(f"'{attribute.name}' must be {rejection.POLICIES}: {value!r}") from None


def check_modalities(_: object, attribute: Any, value: tuple[str, ...]) -> None:
    """Check that it is at least one name of letters, digits and `_`, none twice."""
    if invalid := [name for name in value if not re.fullmatch(r"[A-Za-z]\w*", name)]:
        raise ValueError(f"'{attribute.name}' must be names of letters, digits and '_': {invalid}")
    if not value or len(set(value)) != len(value):
        raise ValueError(f"'{attribute.name}' must name at least one modality, none twice: {list(value)}")


def check_folds(_: object, attribute: Any, value: str | None) -> None:
    """Check that it is COLUMN:K or COLUMN."""
    match = None if value is None else FOLDS.fullmatch(value)
    count = None if match is None or match[2] is None else int(match[2])
    if value is not None and (match is None or (count is None and "+" in value) or count in (0, 1)):
        rule = "COLUMN:K, K folds of at least 2, e.g. subject:5 or subject+session:3, or COLUMN, e.g. session"
        raise ValueError(f"'{attribute.name}' must be {rule}: {value!r}")
    if count is not None and count > MAX_FOLDS:
        raise ValueError(f"'{attribute.name}' must have at most {MAX_FOLDS} folds: {value!r}")
