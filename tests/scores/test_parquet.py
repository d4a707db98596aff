"""Parquet of any origin: plain columns, and small files that stand for large tables."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from fas_core.errors import DataError
from fas_core.scores.parquet import read_parquet
from fas_core.scores.parquet_sizes import read_page_sizes
from fas_core.scores.table import ScoreTable


def write(path: Path, table: pa.Table) -> Path:
    pa.parquet.write_table(table, path, write_page_checksum=True)
    return path


def test_columns_are_plain_whatever_their_encoding(tmp_path: Path) -> None:
    words = pa.array(["a", None, "b", "a"])
    table = pa.table(
        {
            "plain": words,
            "dictionary": words.dictionary_encode(),
            "score": [0.5, None, 1.0, 2.0],
            "box": [[1.0, 2.0], None, [], [3.0]],
        }
    )
    read = read_parquet(write(tmp_path / "a.parquet", table))
    assert read.to_pydict() == table.to_pydict()
    assert read.schema.field("dictionary").type == pa.string()


def test_a_text_that_all_rows_share_is_counted_before_it_is_repeated(tmp_path: Path) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), ["x" * 1_000_000])
    file = write(tmp_path / "a.parquet", pa.table({"id": column}))
    assert file.stat().st_size < 1_000_000
    with pytest.raises(DataError, match=r"a\.parquet: unpacks to 2,861 MiB: at most 256 MiB are read"):
        read_parquet(file)


def test_many_rows_of_one_value_are_refused_by_what_the_file_declares(tmp_path: Path) -> None:
    column = pa.array([1], pa.int8()).dictionary_encode().take(pa.array([0] * 40_000_000, pa.int32()))
    file = write(tmp_path / "a.parquet", pa.table({"id": column}))
    with pytest.raises(DataError, match=r"a\.parquet: unpacks to 305 MiB: at most 256 MiB are read"):
        read_parquet(file)


def test_a_page_that_unpacks_to_more_than_the_footer_says_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", pa.table({"score": [0.5] * 1000}))
    data = file.read_bytes()
    column = pa.parquet.ParquetFile(file).metadata.row_group(0).column(0)
    start = column.dictionary_page_offset
    sizes = list(read_page_sizes(data, start, column.total_compressed_size))
    true = _to_varint(sizes[0])
    assert data[start:].startswith(b"\x15\x04\x15" + true)  # type: a dictionary; then the size
    lie = _to_varint((1 << 30) + sizes[0])
    header = start + 3
    file.write_bytes(data[:header] + lie + data[header + len(true) :])
    with pytest.raises(DataError, match=r"a\.parquet: unpacks to 1,024 MiB: at most 256 MiB are read"):
        read_parquet(file)


def _to_varint(number: int) -> bytes:
    number, digits = 2 * number, []
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits, number])


def test_other_files_and_columns_are_one_line(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read as a table: ") as caught:
        read_parquet(file)
    assert "\n" not in str(caught.value)
    write(file, pa.table({"words": [["a"], ["b"]]}))
    with pytest.raises(DataError, match=r"columns of lists of texts are not read: words\.list\.element"):
        read_parquet(file)
    write(file, pa.table({f"c{index}": [1] for index in range(5000)}))
    with pytest.raises(DataError, match="5,000 columns: at most 4,096 are read"):
        read_parquet(file)


def test_damaged_statistics_of_sizes_are_one_line(tmp_path: Path) -> None:
    """Arrow's own accessor to the columns of such a file ends the process."""
    file = write(tmp_path / "a.parquet", pa.table({"id": ["a", "b"], "score": [0.1, 0.9]}))
    data = file.read_bytes()
    statistics = b"\x16\x04\x19\x06\x19\x26\x00\x04"  # 2 bytes of text; levels repeated: none; defined: 0, 2
    assert data.count(statistics) == 1
    file.write_bytes(data.replace(statistics, b"\x16\x04\x19\x16\x00\x19\x16\x04"))
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read as a table: .*histogram size mismatch"):
        read_parquet(file)


def test_texts_that_are_not_utf_8_are_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", pa.table({"id": pa.array(["good text"])}))
    data = pa.array([b"bad \xff text"]).cast(pa.binary())
    schema = pa.schema([pa.field("id", pa.string())])
    table = pa.Table.from_arrays([pa.Array.from_buffers(pa.string(), 1, data.buffers())], schema=schema)
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read as a table: .*UTF8"):
        read_parquet(write(file, table))


def test_names_of_columns_are_shown_on_one_line(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", pa.table({"\r\n": ["a"], "score": [0.5]}))
    with pytest.raises(DataError, match=r"no 'id' column \(found: \\r\\n, score\)"):
        ScoreTable.read(file)
