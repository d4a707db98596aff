"""Text as numbers: what a C or Python program prints, and nothing else."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)$"
"""A decimal comma, a thousands separator or a unit is no part of it."""

_NUMBER = re.compile(NUMBER, re.ASCII)


def is_number(text: str) -> bool:
    """Whether a cell holds a number; blanks around it do not matter."""
    return _NUMBER.match(text.strip()) is not None


def not_numbers(column: pa.Array) -> pa.Array:
    """(N,) whether a stripped string is neither a number nor empty; it takes long."""
    wrong = pc.invert(pc.or_(pc.match_substring_regex(column, NUMBER), pc.equal(column, "")))
    return pc.fill_null(wrong, False)


def as_numbers(column: pa.Array) -> pa.Array | None:
    """float64 of stripped strings, null where one is empty; None unless all others are numbers."""
    try:
        return pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
