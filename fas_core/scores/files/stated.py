"""The threshold that a file says its scores were judged at, as `fas predict --csv` writes it."""

from __future__ import annotations

from math import isfinite

import pyarrow as pa
import pyarrow.compute as pc

from fas_core.scores.files.column_names import plain
from fas_core.scores.files.columns import Columns
from fas_core.scores.files.numbers import as_numbers
from fas_core.scores.files.raw import Raw

STATED = "threshold"
"""The column's name, however it is written."""


def stated_thresholds(raw: Raw, found: Columns) -> tuple[float, ...]:
    """The distinct finite numbers in a column called `STATED`, ascending; none where there is no such one.

    Args:
        raw: the file.
        found: the columns that are something else.
    """
    names = [plain(name) for name in raw.names] if raw.named else []
    if STATED not in names or (at := names.index(STATED)) in found.values():
        return ()
    distinct = pc.unique(raw.table.column(at))
    if pa.types.is_string(distinct.type):
        numbers = as_numbers(pc.utf8_trim_whitespace(distinct))
        if numbers is None:
            return ()
    elif pa.types.is_floating(distinct.type) or pa.types.is_integer(distinct.type):
        numbers = distinct.cast(pa.float64(), safe=False)
    else:
        return ()
    return tuple(sorted(value for value in numbers.drop_null().to_pylist() if isfinite(value)))
