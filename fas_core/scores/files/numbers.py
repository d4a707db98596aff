"""Text as numbers: what a C or Python program prints, or a spreadsheet whose decimals have a comma."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)$"
"""A thousands separator or a unit is no part of it."""

WITH_COMMA = NUMBER.replace(r"\.", ",")
DECIMAL = r"^[+-]?0*,|,(\d{0,2}|\d{4,})(e|E|$)"
"""What a comma before three digits is not, which may as well part thousands."""

_NUMBER = re.compile(f"{NUMBER}|{WITH_COMMA.removeprefix('(?i)')}", re.ASCII | re.IGNORECASE)


def is_number(text: str) -> bool:
    """Whether a cell holds a number; blanks around it do not matter."""
    return _NUMBER.match(text.strip()) is not None


def not_numbers(column: pa.Array) -> pa.Array:
    """(N,) whether a stripped string is neither a number nor empty; it takes long."""
    wrong = pc.invert(pc.or_(pc.match_substring_regex(column, NUMBER), pc.equal(column, "")))
    return pc.fill_null(wrong, False)


def has_decimal_comma(column: pa.Array) -> bool:
    """Whether stripped strings, not all empty, are numbers whose decimals have a comma, and plainly that."""
    commas = column.filter(pc.match_substring(column, ","))
    if not pc.any(pc.match_substring_regex(commas, DECIMAL)).as_py():
        return False
    fits = pc.or_(pc.match_substring_regex(column, WITH_COMMA), pc.equal(column, ""))
    return bool(pc.all(fits).as_py())


def as_numbers(column: pa.Array) -> pa.Array | None:
    """float64 of stripped strings, null where one is empty; None unless all others are numbers."""
    try:
        return pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())
    except pa.ArrowInvalid:
        pointed = pc.replace_substring(column, ",", ".") if has_decimal_comma(column) else None
        return None if pointed is None else as_numbers(pointed)
