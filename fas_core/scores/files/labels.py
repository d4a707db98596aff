"""Labels as people write them: 1 and 0, true and false, or words."""

from __future__ import annotations

import re
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from fas_core.errors import DataError, format_list
from fas_core.records.samples import ATTACK, LIVE
from fas_core.scores.files.column_names import about_attacks

Side = Literal["live", "attack"]

WORDS = {
    **dict.fromkeys(("live", "bonafide", "bona fide", "real", "genuine", "client"), LIVE),
    **dict.fromkeys(("attack", "spoof", "fake", "imposter", "impostor", "presentation attack"), ATTACK),
}
NUMBERS = {"1": 1, "1.0": 1, "0": 0, "0.0": 0}
TRUTHS = {"true": 1, "false": 0}
LIVE_WORDS = {word for word, label in WORDS.items() if label == LIVE}
NOTHING = {"", "none", "na", "n/a", "nan", "null", "-", "0"}
"""What live samples have for a species, where they have no word for live."""

JOINT = re.compile(r"(?<=\w)[_ -]+(?=\w)")

MOST_SPELLINGS = 100
"""A column of more distinct values is not looked at as labels."""


def spoken(column: pa.Array) -> list[str]:
    """Values as words, "" for null: lower case, `bona_fide` and `bona-fide` as `bona fide`."""
    return [JOINT.sub(" ", value.strip().lower()) if value else "" for value in column.to_pylist()]


def is_words(distinct: pa.Array) -> bool:
    """Whether all values that are not empty are words for live or attack, and there are some."""
    if len(distinct) > MOST_SPELLINGS:
        return False
    said = set(spoken(distinct)) - {""}
    return bool(said) and said <= set(WORDS)


def read_labels(column: pa.Array, one: Side | None, *, where: str, name: str) -> tuple[pa.Array, str]:
    """(N,) int8: 1 live, 0 attack, null where empty; and how they were understood.

    Args:
        column: numbers, truth values or words of one kind.
        one: what 1 and true mean; None for live, unless the column's name says otherwise.
        where: the file, for messages.
        name: the column's name, "" for none.

    Raises:
        DataError: values that mean neither, or of several kinds, or 1 under a name that says attack.
    """
    distinct = pc.unique(column)
    said = spoken(distinct)
    kinds = [table for table in (WORDS, NUMBERS, TRUTHS) if any(word in table for word in said)]
    if strange := [word for word in said if word and not any(word in table for table in kinds)]:
        rows = pc.is_in(pc.index_in(column, distinct), pa.array([said.index(word) for word in strange]))
        raise DataError(
            f"{where}: labels of {pc.sum(rows)} rows are not understood: {format_list(map(repr, strange))}: "
            f"write 1 or 0, or words such as live and attack"
        )
    if len(kinds) > 1:
        some = format_list(repr(word) for word in said if word)
        raise DataError(f"{where}: labels of several kinds, so none is clear: {some}")
    meaning = kinds[0] if kinds else {}
    if meaning is not WORDS:
        if one is None and about_attacks(name):
            raise DataError(
                f"{where}: does 1 mean attack in column {name!r}? Say so by --label-one attack (or live)"
            )
        if one == "attack":
            meaning = {value: 1 - label for value, label in meaning.items()}
    labels = _each(column, distinct, [meaning.get(word) for word in said])
    return labels.cast(pa.int8()), "words" if meaning is WORDS else f"1 = {one or 'live'}"


def labels_of_species(column: pa.Array) -> pa.Array | None:
    """Labels of a species column that has a word for live; null where it is empty, None without that word."""
    distinct = pc.unique(column)
    said = spoken(distinct)
    if LIVE_WORDS.isdisjoint(said):
        return None
    labels = [None if word == "" else LIVE if word in LIVE_WORDS else ATTACK for word in said]
    return _each(column, distinct, labels).cast(pa.int8())


def agreed_species(column: pa.Array, labels: pa.Array, ids: pa.Array, where: str) -> pa.Array:
    """Species with `live` for all live samples and null for attacks of which none is known.

    Raises:
        DataError: a live sample with an attack's species, or the reverse: most often the polarity is wrong.
    """
    distinct = pc.unique(column)
    said = spoken(distinct)
    is_live = pc.fill_null(pc.equal(labels, LIVE), False)
    is_attack = pc.fill_null(pc.equal(labels, ATTACK), False)
    of_attacks = _each(column, distinct, [word not in LIVE_WORDS | NOTHING for word in said])
    of_live = _each(column, distinct, [word in LIVE_WORDS for word in said])
    contrary = pc.or_(pc.and_(is_live, of_attacks), pc.and_(is_attack, of_live))
    if pc.any(contrary).as_py():
        pairs = zip(ids.filter(contrary).to_pylist(), column.filter(contrary).to_pylist(), strict=True)
        offenders = [f"{sample} ({species})" for sample, species in pairs]
        raise DataError(
            f"{where}: label and species contradict each other in {len(offenders)} rows: "
            f"{format_list(offenders, 3)}: is 1 an attack (--label-one attack)? "
            f"Or leave the species out (--column species=)"
        )
    return pc.if_else(is_live, "live", column)


def _each(column: pa.Array, distinct: pa.Array, values: list[Any]) -> pa.Array:
    """The value of each row, given that of each distinct one."""
    return pa.array(values).take(pc.index_in(column, distinct))
