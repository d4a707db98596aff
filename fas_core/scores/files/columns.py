"""Which column is what: as told, else by name, else by content; a choice between two is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from fas_core.errors import DataError, format_list, suggest_closest
from fas_core.scores.files.column_names import NAMES, plain
from fas_core.scores.files.labels import is_words
from fas_core.scores.files.numbers import as_numbers
from fas_core.scores.files.raw import Raw

Columns = dict[str, int]
"""Role -> index of its column."""


def assign(raw: Raw, roles: Sequence[str], told: Mapping[str, str]) -> Columns:
    """The column of each role that has one.

    Args:
        raw: the file.
        roles: those that are looked for, of `NAMES`.
        told: `{role: name or number from 1}`; an empty name says that the role has none.

    Raises:
        DataError: a column that was told is not there, or two could have one role.
    """
    found = {role: _told(raw, role, told[role]) for role in roles if told.get(role)}
    open_roles = [role for role in roles if role not in told]
    free = [at for at in range(len(raw.names)) if at not in found.values()]
    guessed = _by_name(raw, open_roles, free) if raw.named else _by_content(raw, open_roles, free)
    return found | guessed


def _told(raw: Raw, role: str, name: str) -> int:
    if name in raw.names:
        return raw.names.index(name)
    if name.isdecimal() and 1 <= int(name) <= len(raw.names):
        return int(name) - 1
    where = (
        suggest_closest(name, raw.names)
        if raw.named
        else f" (no header; there are columns 1 to {len(raw.names)})"
    )
    raise DataError(f"{raw.path}: no column {name!r} for {role!r}{where}")


def _by_name(raw: Raw, roles: Sequence[str], free: Sequence[int]) -> Columns:
    names = {at: plain(raw.names[at]) for at in free}
    found: Columns = {}
    for role in roles:
        fits = [at for wanted in NAMES[role] for at, name in names.items() if name == wanted]
        if len(fits) > 1 and role != "id":
            raise _ambiguous(raw, role, fits)
        if fits:
            found[role] = fits[0]
    return found


def _by_content(raw: Raw, roles: Sequence[str], free: Sequence[int]) -> Columns:
    """Without a header: the numbers are the score, 0/1 or words the label, the first text the id."""
    kinds = {at: _kind(raw.table.column(at).combine_chunks()) for at in free}
    wanted = {"score": ("number",), "label": ("binary", "words"), "id": ("text",)}
    found: Columns = {}
    for role, kind in wanted.items():
        fits = [at for at in free if kinds[at] in kind]
        if role not in roles or not fits:
            continue
        if len(fits) > 1 and role != "id":
            raise _ambiguous(raw, role, fits)
        found[role] = fits[0]
    return found


def _kind(column: pa.Array) -> str:
    """`number`, `binary` (only 0 and 1), `words` (live, attack, ...), `text`, or `empty`."""
    distinct = pc.unique(column)
    if not pc.any(pc.not_equal(distinct, "")).as_py():
        return "empty"
    if (numbers := as_numbers(distinct)) is not None:
        return "binary" if set(pc.unique(numbers.drop_null())[:3].to_pylist()) <= {0.0, 1.0} else "number"
    return "words" if is_words(distinct) else "text"


def _ambiguous(raw: Raw, role: str, fits: Sequence[int]) -> DataError:
    names = format_list([raw.shown(at) for at in fits])
    return DataError(
        f"{raw.path}: {len(fits)} columns could be the {role}: {names}: say which by "
        f"--column {role}={raw.names[fits[0]]}"
    )


def need(raw: Raw, columns: Columns, role: str) -> int:
    """The column of a role that cannot be done without.

    Raises:
        DataError: there is none.
    """
    if role in columns:
        return columns[role]
    raise DataError(
        f"{raw.path}: no column that is plainly the {role} (found: {raw.columns_found}): "
        f"say which by --column {role}=NAME, or its number"
    )
