"""Sizes in the headers of pages, against the sums in the footers of files that Arrow wrote."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from fas_core.scores.parquet_pages import read_page_sizes

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
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            start = min(column.data_page_offset, column.dictionary_page_offset or 1 << 40)
            sizes = list(read_page_sizes(stream.getvalue(), start, column.total_compressed_size))
            headers = column.total_uncompressed_size - sum(sizes)
            assert 0 < headers < 200 * len(sizes)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x00", "a page without its size"),
        (b"\x25", "ends early"),
        (b"\x25\x02\x15\x01\x00", "negative size"),
        (b"\x15" + b"\xff" * 11, "more than ten bytes"),
        (b"\x1c" * 20, "nested too deep"),
        (b"\x1b", "an unknown field"),
    ],
)
def test_damaged_headers_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(read_page_sizes(data, 0, len(data)))
    with pytest.raises(ValueError, match="before the file"):
        list(read_page_sizes(data, -1, len(data)))


def test_sizes_by_hand() -> None:
    """Type 0, 300 bytes unpacked, 2 packed: fields 1, 2 and 3, the numbers doubled for their sign."""
    header = bytes([0x15, 0, 0x15, 0xD8, 0x04, 0x15, 4, 0])
    assert list(read_page_sizes(b"PAR1" + header + b"xy" + header + b"xy", 4, 20)) == [300, 300]
