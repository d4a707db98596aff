"""The role of each column: as requested, else by name, else by content; ambiguity is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import pyarrow as pa
import pyarrow.compute as pc

from fas_core.errors import DataError, format_list, suggest_closest
from fas_core.scores.files.delimited import parse_numbers
from fas_core.scores.files.labels import COLUMN_NAMES, are_label_words, normalize_name
from fas_core.scores.files.raw import RawTable

ColumnIndices = dict[str, int]
"""`{role: index of its column}`."""


def assign_columns(raw: RawTable, roles: Sequence[str], requested: Mapping[str, str]) -> ColumnIndices:
    """Return the column of each role, of `COLUMN_NAMES`, that has one.

    `requested`: `{role: name or number from 1}`; an empty name: the role has no column. Raises DataError
    where a requested column does not exist, or a role has two candidates.
    """
    assigned = {role: _requested_column(raw, role, requested[role]) for role in roles if requested.get(role)}
    open_roles = [role for role in roles if role not in requested]
    free = [index for index in range(len(raw.names)) if index not in assigned.values()]
    return assigned | (_match_names if raw.named else _match_content)(raw, open_roles, free)


def require_column(raw: RawTable, columns: ColumnIndices, role: str) -> int:
    """Return the column of a required role; raise DataError where it has none."""
    if role in columns:
        return columns[role]
    raise DataError(
        f"{raw.path}: no column that is plainly the {role} (found: {raw.summary}): "
        f"say which by --column {role}=NAME, or its number"
    )


def recorded_thresholds(raw: RawTable, columns: ColumnIndices) -> dict[int, tuple[float, ...]]:
    """`{index: distinct finite numbers, ascending}` of a column `threshold` without a role, as
    `fas predict --csv` writes it; empty where there is no such column or it holds other values.
    """
    names = [normalize_name(name) for name in raw.names]
    if "threshold" not in names or (index := names.index("threshold")) in columns.values():
        return {}
    column, numbers = raw.table.column(index), None
    if pa.types.is_string(column.type):
        numbers = parse_numbers(pc.utf8_trim_whitespace(pc.unique(column)))
    elif pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        numbers = pc.unique(column).cast(pa.float64(), safe=False)
    values = [] if numbers is None else numbers.drop_null().to_pylist()
    thresholds = tuple(sorted(filter(isfinite, values)))
    return {index: thresholds} if thresholds else {}


def _requested_column(raw: RawTable, role: str, name: str) -> int:
    if name in raw.names:
        return raw.names.index(name)
    if name.isdecimal() and 1 <= int(name) <= len(raw.names):
        return int(name) - 1
    hint = suggest_closest(name, raw.names)
    if not raw.named:
        hint = f" (no header; there are columns 1 to {len(raw.names)})"
    raise DataError(f"{raw.path}: no column {name!r} for {role!r}{hint}")


def _match_names(raw: RawTable, roles: Sequence[str], free: Sequence[int]) -> ColumnIndices:
    names = {index: normalize_name(raw.names[index]) for index in free}
    candidates = {
        role: [index for known in COLUMN_NAMES[role] for index, name in names.items() if name == known]
        for role in roles
    }
    return _choose(raw, candidates)


def _match_content(raw: RawTable, roles: Sequence[str], free: Sequence[int]) -> ColumnIndices:
    """Without a header: the numbers are the score, 0/1 or words the label, the first text the id."""
    guesses = {index: _guess_role(raw.table.column(index).combine_chunks()) for index in free}
    required = [role for role in ("score", "label", "id") if role in roles]
    return _choose(raw, {role: [index for index in free if guesses[index] == role] for role in required})


def _choose(raw: RawTable, candidates: Mapping[str, Sequence[int]]) -> ColumnIndices:
    """Return the first candidate of each role; only ids may have several."""
    for role, indices in candidates.items():
        if len(indices) > 1 and role != "id":
            labels = format_list([raw.column_label(index) for index in indices])
            raise DataError(
                f"{raw.path}: {len(indices)} columns could be the {role}: {labels}: say which by "
                f"--column {role}={raw.names[indices[0]]}"
            )
    return {role: indices[0] for role, indices in candidates.items() if indices}


def _guess_role(column: pa.Array) -> str | None:
    """`label`, `score` or `id`; None of an empty column."""
    distinct = pc.unique(column)
    if not pc.any(pc.not_equal(distinct, "")).as_py():
        return None
    if (numbers := parse_numbers(distinct)) is not None:
        return "label" if set(pc.unique(numbers.drop_null())[:3].to_pylist()) <= {0.0, 1.0} else "score"
    return "label" if are_label_words(distinct) else "id"
