"""Which runs are listed, and in which order: `--filter` and `--sort`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen

from fas_core.errors import ConfigError
from fas_core.yaml_files import parse_yaml
from fas_plugins.commands.runs.find_runs import RunRow

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
KEYS = ("run", "state", "epoch", "epochs", "eer", "acer", "best_epoch", "recipe", "tags")
"""What a run is filtered and sorted by, besides the keys of its recipe."""

MISSING = object()


@frozen
class Filter:
    """A condition that a run meets or not, e.g. `train.lr<=0.01`.

    Args:
        key: one of `KEYS`, or a key of the recipe by its dotted path.
        compare: of the run's value and `value`.
        value: text or a number.
    """

    key: str
    compare: Callable[[Any, Any], bool]
    value: Any

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Parse `KEY=VALUE`, or with another of `OPERATORS`; a rate may be in %, as `eer<=5%`.

        Raises:
            ConfigError: it is nothing like that.
        """
        parsed = re.fullmatch(r"([\w.]+)\s*(<=|>=|!=|=|<|>)\s*(.+)", text.strip())
        if parsed is None:
            raise ConfigError(f"--filter {text!r}: must read KEY=VALUE or KEY<=VALUE, e.g. 'eer<=5%'")
        key, sign, value = parsed.groups()
        return cls(key, OPERATORS[sign], _parse_value(value, f"--filter {text!r}"))

    def accepts(self, row: RunRow) -> bool:
        """Return whether a run meets the condition; one without such a value never does."""
        value = value_of(row, self.key)
        if isinstance(value, (list, tuple)):
            present = self.value in value
            return {operator.eq: present, operator.ne: not present}.get(self.compare, False)
        if value is MISSING or value is None:
            return False
        if isinstance(value, Mapping):  # a component, by its name
            value = value.get("name")
        try:
            return self.compare(value, self.value)
        except TypeError:  # text and a number
            return False


def _parse_value(text: str, where: str) -> Any:
    """Return a number where it reads as one, also `1e-3` and `5%`, else what YAML makes of it."""
    number = re.fullmatch(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)(%?)", text)
    try:
        return float(number[1]) / (100 if number[2] else 1) if number else parse_yaml(text, where)
    except ValueError:
        return text


def value_of(row: RunRow, key: str) -> Any:
    """Return what a run has for a key of its row or of its recipe; `MISSING` where it has no such key."""
    if key in KEYS:
        return row.to_json()[key]
    value: Any = row.values
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return MISSING
        value = value[part]
    return value


def select_runs(rows: Iterable[RunRow], filters: Iterable[Filter]) -> list[RunRow]:
    """Return the runs that meet all conditions.

    Raises:
        ConfigError: no run has a key that a condition asks for.
    """
    selected = list(rows)
    for condition in filters:
        _check_key(condition.key, selected, "--filter")
        selected = [row for row in selected if condition.accepts(row)]
    return selected


def sort_runs(rows: Iterable[RunRow], key: str, *, reverse: bool) -> list[RunRow]:
    """Sort runs by a key; those that have no value of it come last.

    Raises:
        ConfigError: no run has such a key.
    """
    listed = list(rows)
    _check_key(key, listed, "--sort")
    values = {row.name: value_of(row, key) for row in listed}
    known = [row for row in listed if values[row.name] not in (MISSING, None)]
    others = [row for row in listed if values[row.name] in (MISSING, None)]

    def order(row: RunRow) -> tuple[bool, Any]:
        value = values[row.name]
        is_text = not isinstance(value, (int, float))
        return is_text, str(value) if is_text else value

    return sorted(known, key=order, reverse=reverse) + others


def _check_key(key: str, rows: list[RunRow], flag: str) -> None:
    if rows and all(value_of(row, key) is MISSING for row in rows):
        keys = ", ".join(KEYS)
        raise ConfigError(f"{flag} {key!r}: no run has it: give one of {keys}, or a key such as train.lr")
