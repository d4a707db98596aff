"""The role of each column: as requested, else by name, else by content; ambiguity is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import pyarrow as pa
import pyarrow.compute as pc

from fas_core.errors import DataError, format_list, suggest_closest
from fas_core.scores.files.column_names import COLUMN_NAMES, normalize_name
from fas_core.scores.files.labels import are_label_words
from fas_core.scores.files.numbers import parse_numbers
from fas_core.scores.files.raw import RawTable

ColumnIndices = dict[str, int]
"""`{role: index of its column}`."""


def assign_columns(raw: RawTable, roles: Sequence[str], requested: Mapping[str, str]) -> ColumnIndices:
    """Return the column of each role that has one.

    Args:
        raw: the file.
        roles: the roles to assign, of `COLUMN_NAMES`.
        requested: `{role: name or number from 1}`; an empty name: the role has no column.

    Raises:
        DataError: a requested column does not exist, or a role has two candidates.
    """
    assigned = {role: _requested_column(raw, role, requested[role]) for role in roles if requested.get(role)}
    open_roles = [role for role in roles if role not in requested]
    free = [index for index in range(len(raw.names)) if index not in assigned.values()]
    return assigned | (_match_names if raw.named else _match_content)(raw, open_roles, free)


def require_column(raw: RawTable, columns: ColumnIndices, role: str) -> int:
    """Return the column of a required role.

    Raises:
        DataError: it has none.
    """
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
    kinds = {index: _kind(raw.table.column(index).combine_chunks()) for index in free}
    role_kinds = {"score": ("number",), "label": ("binary", "words"), "id": ("text",)}
    candidates = {
        role: [index for index in free if kinds[index] in role_kinds[role]]
        for role in role_kinds
        if role in roles
    }
    return _choose(raw, candidates)


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


def _kind(column: pa.Array) -> str:
    """`number`, `binary` (only 0 and 1), `words` (live, attack, ...), `text`, or `empty`."""
    distinct = pc.unique(column)
    if not pc.any(pc.not_equal(distinct, "")).as_py():
        return "empty"
    if (numbers := parse_numbers(distinct)) is not None:
        return "binary" if set(pc.unique(numbers.drop_null())[:3].to_pylist()) <= {0.0, 1.0} else "number"
    return "words" if are_label_words(distinct) else "text"
