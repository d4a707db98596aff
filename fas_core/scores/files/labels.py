"""Numbers and labels as people write them; a label is 1 or 0, true or false, or a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from fas_core.errors import DataError, format_list
from fas_core.scores.label_words import KNOWN_CLASSES, parse_class
from fas_core.scores.table import ATTACK, LIVE

NUMBER = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)$"

COMMA_NUMBER = NUMBER.replace(r"\.", ",")
DECIMAL_COMMA = r"^[+-]?0*,|,(\d{0,2}|\d{4,})(e|E|$)"
"""A comma that cannot separate thousands: not followed by exactly three digits, or after zeros alone."""

_NUMBER = re.compile(f"{NUMBER}|{COMMA_NUMBER.removeprefix('(?i)')}", re.ASCII | re.IGNORECASE)

Side = Literal["live", "attack"]

Parser = Callable[[str], int | None]

NUMBERS = {"1": 1, "1.0": 1, "0": 0, "0.0": 0}
SIGNED_NUMBERS = {"+1": LIVE, "1": LIVE, "1.0": LIVE, "-1": ATTACK, "-1.0": ATTACK, "-2": ATTACK}
"""As in the lists of OULU-NPU, and of programs whose classes are +1 and -1; 0 is not among them."""
BOOLEANS = {"true": 1, "false": 0}
NO_SPECIES = {"", "none", "na", "n/a", "nan", "null", "-", "0"}  # of live samples


def is_number(text: str) -> bool:
    """Whether a cell holds a number; surrounding blanks are ignored."""
    return _NUMBER.match(text.strip()) is not None


def find_non_numbers(column: pa.Array) -> pa.Array:
    """(N,) whether a stripped string is neither a number nor empty. Slow: for error messages."""
    wrong = pc.invert(pc.or_(pc.match_substring_regex(column, NUMBER), pc.equal(column, "")))
    return pc.fill_null(wrong, False)


def has_decimal_comma(column: pa.Array) -> bool:
    """Whether stripped strings, not all empty, are numbers with a decimal comma beyond doubt."""
    with_comma = column.filter(pc.match_substring(column, ","))
    if not pc.any(pc.match_substring_regex(with_comma, DECIMAL_COMMA)).as_py():
        return False
    fits = pc.or_(pc.match_substring_regex(column, COMMA_NUMBER), pc.equal(column, ""))
    return bool(pc.all(fits).as_py())


def parse_numbers(column: pa.Array) -> pa.Array | None:
    """float64 of stripped strings, null where one is empty; None unless all others are numbers."""
    try:
        return pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())
    except pa.ArrowInvalid:
        return parse_numbers(pc.replace_substring(column, ",", ".")) if has_decimal_comma(column) else None


def mentions_attack(name: str) -> bool:
    """Whether a name says that 1, or a high score, means attack."""
    return any(parse_class(word) == ATTACK for word in re.split(r"[\s.\-()_]+", name))


def are_label_words(distinct: pa.Array) -> bool:
    """Whether all values that are not empty are words for live or attack, and there are some."""
    if len(distinct) > 100:  # more spellings than people have for labels
        return False
    words = set(_normalize(distinct)) - {""}
    return bool(words) and all(parse_class(word) is not None for word in words)


def parse_labels(column: pa.Array, one: Side | None, *, where: str, name: str) -> tuple[pa.Array, str]:
    """Return ((N,) int8: 1 live, 0 attack, null where empty; how the values were interpreted).

    `one`: what 1 and true mean; None for live, unless the column's name says attack. `where`: the file and
    column, for messages. `name`: "" for none. Raises DataError where a value means neither, values are of
    several kinds, or the name says that 1 means attack.
    """
    words = [word for word in _normalize(pc.unique(column)) if word]
    kinds = find_label_parsers(words)
    if unknown := [word for word in words if all(kind(word) is None for kind in kinds)]:
        rows = pc.sum(_map_words(column, lambda word: word in unknown))
        raise DataError(
            f"{where}: labels of {rows} rows are not understood: {format_list(map(repr, unknown))}: "
            f"write 1 or 0, or words: {KNOWN_CLASSES}"
        )
    if len(kinds) > 1:
        examples = format_list(map(repr, words))
        raise DataError(f"{where}: labels of several kinds, so none is clear: {examples}")
    if kinds == [parse_class]:
        return _map_words(column, parse_class).cast(pa.int8()), "words"
    if one is None and mentions_attack(name):
        raise DataError(
            f"{where}: does 1 mean attack in column {name!r}? Say so by --label-one attack (or live)"
        )
    signed = kinds == [SIGNED_NUMBERS.get]
    labels = _map_words(column, kinds[0] if kinds else NUMBERS.get).cast(pa.int8())
    remark = f"1 = {one or 'live'}" + (f", -1 = {'live' if one == 'attack' else 'attack'}" if signed else "")
    return pc.subtract(pa.scalar(1, pa.int8()), labels) if one == "attack" else labels, remark


def are_label_numbers(numbers: pa.Array) -> bool:
    """Whether numbers, null where unknown, are 0 and 1, or 1 beside -1 or -2, as in OULU-NPU's lists."""
    values = set(pc.unique(numbers.drop_null())[:4].to_pylist())
    return values <= {0.0, 1.0} or (1.0 in values and len(values) > 1 and values <= {1.0, -1.0, -2.0})


def find_label_parsers(words: Collection[str]) -> list[Parser]:
    """Return the parsers of the kinds of labels that occur among lower-case words: words, numbers, booleans.

    Numbers are 1 and 0 or, where one is negative, those of `SIGNED_NUMBERS`.
    """
    is_signed = any(word.startswith("-") and word in SIGNED_NUMBERS for word in words)
    numbers = SIGNED_NUMBERS if is_signed and "0" not in words else NUMBERS
    parsers: tuple[Parser, ...] = (parse_class, numbers.get, BOOLEANS.get)
    return [parse for parse in parsers if any(parse(word) is not None for word in words)]


def labels_from_species(column: pa.Array) -> pa.Array | None:
    """Labels by a species column with a word for live, null where it is empty; None without such a word."""
    if not any(map(_means_live, _normalize(pc.unique(column)))):
        return None
    labels = _map_words(column, lambda word: LIVE if _means_live(word) else ATTACK if word else None)
    return labels.cast(pa.int8())


def check_species(column: pa.Array, labels: pa.Array, ids: pa.Array, where: str) -> pa.Array:
    """Return the species, `live` for live samples, null kept; DataError where they contradict labels."""
    is_live = pc.fill_null(pc.equal(labels, LIVE), False)
    is_attack = pc.fill_null(pc.equal(labels, ATTACK), False)
    names_attack = _map_words(column, lambda word: not _means_live(word) and word not in NO_SPECIES)
    names_live = _map_words(column, _means_live)
    contrary = pc.or_(pc.and_(is_live, names_attack), pc.and_(is_attack, names_live))
    if pc.any(contrary).as_py():
        pairs = zip(ids.filter(contrary).to_pylist(), column.filter(contrary).to_pylist(), strict=True)
        offenders = [f"{sample} ({species})" for sample, species in pairs]
        raise DataError(
            f"{where}: label and species contradict each other in {len(offenders)} rows: "
            f"{format_list(offenders, 3)}: is 1 an attack (--label-one attack)? "
            f"Or leave the species out (--column species=)"
        )
    return pc.if_else(is_live, "live", column)


def _means_live(word: str) -> bool:
    return parse_class(word) == LIVE


def _normalize(column: pa.Array) -> list[str]:
    """Return the values in lower case, null as ""."""
    return [(value or "").strip().lower() for value in column.to_pylist()]


def _map_words(column: pa.Array, function: Callable[[str], Any]) -> pa.Array:
    """Apply a function to every value, normalised."""
    distinct = pc.unique(column)
    return pa.array(map(function, _normalize(distinct))).take(pc.index_in(column, distinct))
