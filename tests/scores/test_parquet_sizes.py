"""Sizes in the footers and the headers of pages, against what Arrow reads of files that it wrote."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from fas_core.scores.parquet_sizes import read_page_sizes, read_row_groups

ROWS = 30_000
TABLE = pa.table(
    {
        "id": [f"photo {row}" for row in range(ROWS)],
        "score": np.random.default_rng(0).random(ROWS),
        "word": ["live", "print"] * (ROWS // 2),
        "box": pa.array([[1.0, 2.0]] * ROWS),
        "empty": pa.nulls(ROWS, pa.int8()),
    }
)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd"},
        {"data_page_version": "2.0"},
        {"write_page_checksum": True},
        {"compression": "none", "use_dictionary": False},
        {"row_group_size": 5000, "version": "1.0"},
    ],
)
def test_the_sizes_of_all_pages_and_their_headers_are_what_the_footer_says(options: dict[str, Any]) -> None:
    stream = io.BytesIO()
    pa.parquet.write_table(TABLE, stream, **options)
    metadata = pa.parquet.ParquetFile(stream).metadata
    groups = read_row_groups(stream.getvalue())
    assert len(groups) == metadata.num_row_groups
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            start = min(column.data_page_offset, column.dictionary_page_offset or 1 << 40)
            declared = groups[group][index]
            assert (declared.start, declared.size) == (start, column.total_compressed_size)
            assert (declared.values, declared.unpacked) == (column.num_values, column.total_uncompressed_size)
            sizes = list(read_page_sizes(stream.getvalue(), declared.start, declared.size))
            headers = column.total_uncompressed_size - sum(sizes)
            assert 0 < headers < 200 * len(sizes)


def test_damaged_headers_of_pages_are_refused() -> None:
    with pytest.raises(ValueError, match="a struct without field 2"):
        list(read_page_sizes(b"\0", 0, 1))
    with pytest.raises(ValueError, match="negative size"):
        list(read_page_sizes(b"\x25\x02\x15\x01\x00", 0, 5))


def test_damaged_footers_are_refused() -> None:
    group = b"\x49\x1c\x19\x1c"  # field 4: a list of one group; field 1: a list of one column
    for footer, reason in (
        (b"\0", "without field 4"),
        (b"\x49\x15\2\0", "a damaged footer"),  # a group that is a number
        (group + b"\x35\2\0\0\0", "without field 3, or with another type"),
        (group + b"\x3c\x55\1\x15\0\x15\0\x25\0\0\0\0\0", "a column of negative size"),
    ):
        with pytest.raises(ValueError, match=reason):
            read_row_groups(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    for data in (b"", b"PAR1", b"\xff\xff\0\0PAR1"):
        with pytest.raises(ValueError, match="not a Parquet file"):
            read_row_groups(data)


def test_sizes_by_hand() -> None:
    """Type 0, 300 bytes unpacked, 2 packed: fields 1, 2 and 3, the numbers doubled for their sign."""
    header = bytes([0x15, 0, 0x15, 0xD8, 0x04, 0x15, 4, 0])
    assert list(read_page_sizes(b"PAR1" + header + b"xy" + header + b"xy", 4, 20)) == [300, 300]
