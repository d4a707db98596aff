"""The search space: which keys of a recipe are varied, and over what.

`train.lr: log:1e-4:1e-1` is a range, and a list, `train.optimizer: [sgd, adamw]`, has the choices.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fas_core.config.load import merge, nest, parse_sets, to_plain
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.descriptors import Backbone
from fas_core.errors import ConfigError
from fas_core.registry import Registry
from fas_core.text_files import shorten
from fas_core.user_paths import expand_user
from fas_core.yaml_files import read_yaml

if TYPE_CHECKING:
    from optuna.trial import Trial

KINDS = {"float": (False, False), "log": (True, False), "int": (False, True), "logint": (True, True)}
"""Whether a range is logarithmic, and whether its numbers are whole, by the first word of its text."""

EXAMPLE = "log:1e-4:1e-1, float:0:5, int:8:64, logint:8:256 or [sgd, adamw]"

FIXED = ("data", "folds", "train.seed")
"""Keys that are not tuned, and those below them: trials are judged on the same people, and not by luck."""


@frozen
class Range:
    """Numbers from `low` to `high`, both among them; `kind` is one of `KINDS`."""

    kind: str
    low: float
    high: float

    @classmethod
    def parse(cls, text: str, where: str) -> Range:
        """Parse `KIND:LOW:HIGH`; raise ConfigError if it is nothing like that."""
        kind, *bounds = text.split(":")
        try:
            low, high = map(float, bounds)
        except ValueError:
            low = high = float("nan")
        log, whole = KINDS.get(kind, (False, False))
        valid = kind in KINDS and isfinite(low) and isfinite(high) and low < high
        if not valid or (log and low <= 0) or (whole and not (low.is_integer() and high.is_integer())):
            raise ConfigError(f"{where}: {shorten(text)!r}: must be LOW < HIGH of a kind, as {EXAMPLE}")
        return cls(kind, low, high)

    def suggest(self, trial: Trial, key: str) -> float:
        """Let a trial choose a number."""
        log, whole = KINDS[self.kind]
        if whole:
            return trial.suggest_int(key, int(self.low), int(self.high), log=log)
        return trial.suggest_float(key, self.low, self.high, log=log)

    def examples(self) -> list[float]:
        """Return values that must all be valid in the recipe."""
        return [int(bound) if KINDS[self.kind][1] else bound for bound in (self.low, self.high)]

    def to_plain(self) -> str:
        return f"{self.kind}:{self.low:.17g}:{self.high:.17g}"


@frozen
class Choices:
    """Values of any type, as JSON texts, which every storage of trials holds."""

    texts: tuple[str, ...]

    def suggest(self, trial: Trial, key: str) -> Any:
        """Let a trial choose a value."""
        return json.loads(trial.suggest_categorical(key, self.texts))

    def examples(self) -> list[Any]:
        """Return values that must all be valid in the recipe."""
        return [json.loads(text) for text in self.texts]

    def to_plain(self) -> list[Any]:
        return self.examples()


Space = dict[str, Range | Choices]


def read_space(texts: Iterable[str]) -> Space:
    """Read a search space from texts that are each `KEY=RANGE`, `KEY=[A, B]`, or the path of a YAML file.

    Raises:
        ConfigError: a file cannot be read, a range is none, a key is not to be tuned, or there is no key.
    """
    tree: dict[str, Any] = {}
    for text in texts:
        tree |= parse_sets([text]) if "=" in text else _read_file(expand_user(text))
    if not tree:
        raise ConfigError("--space: names no key: give e.g. --space train.lr=log:1e-4:1e-1")
    for key in tree:
        if any(key == fixed or key.startswith(f"{fixed}.") for fixed in FIXED):
            reason = "trials are compared on the same dev samples, and not by chance"
            raise ConfigError(f"--space: {key} is not tuned: {reason}")
    return {key: _parse_dimension(value, f"--space: {key}") for key, value in tree.items()}


def _read_file(path: Path) -> dict[str, Any]:
    tree = read_yaml(path)
    if not isinstance(tree, dict) or not all(isinstance(key, str) for key in tree):
        raise ConfigError(f"{path}: must be a mapping of keys, such as 'train.lr: log:1e-4:1e-1'")
    return tree


def _parse_dimension(value: object, where: str) -> Range | Choices:
    if isinstance(value, list) and value:
        texts = tuple(_to_json(item, where) for item in value)
        if len(set(texts)) < len(texts):
            raise ConfigError(f"{where}: a choice is given twice")
        return Choices(texts)
    if isinstance(value, str):
        return Range.parse(value, where)
    raise ConfigError(f"{where}: {shorten(str(value))!r}: must be a range or a list, as {EXAMPLE}")


def _to_json(value: object, where: str) -> str:
    try:
        return json.dumps(value)
    except TypeError as error:  # YAML has dates, bytes and sets, too
        problem = f"{shorten(str(value))!r} is a {type(value).__name__}, which no recipe has"
        raise ConfigError(f"{where}: {problem}") from error


def change_recipe(recipe: Recipe, changes: Mapping[str, Any], registry: Registry, where: str) -> Recipe:
    """Return a recipe with other values, `{"train.lr": 0.02}`; raise ConfigError if one is not valid."""
    tree = to_plain(recipe, registry)
    for key, value in changes.items():
        tree = merge(tree, nest(key, value), registry.names(Backbone))
    return structure(tree, Recipe, registry, where)


def check_space(space: Space, recipe: Recipe, registry: Registry) -> None:
    """Raise ConfigError unless every choice, and both ends of every range, are valid in the recipe."""
    for key, dimension in space.items():
        for value in dimension.examples():
            change_recipe(recipe, {key: value}, registry, f"--space: {key}={value}")
