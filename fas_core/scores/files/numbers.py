"""Numbers in text: as C or Python print them, or with a decimal comma, as spreadsheets do."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)$"
"""Without thousands separators or units."""

COMMA_NUMBER = NUMBER.replace(r"\.", ",")
DECIMAL_COMMA = r"^[+-]?0*,|,(\d{0,2}|\d{4,})(e|E|$)"
"""A comma that cannot separate thousands: not followed by exactly three digits, or after zeros alone."""

_NUMBER = re.compile(f"{NUMBER}|{COMMA_NUMBER.removeprefix('(?i)')}", re.ASCII | re.IGNORECASE)


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
