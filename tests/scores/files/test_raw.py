"""Files as tables, before anything is interpreted: formats, encodings, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from fas_core.errors import DataError
from fas_core.scores.files.raw import find_delimiter, read_delimited, read_raw_table

PATH = Path("a.csv")


def test_parquet_keeps_its_types_whatever_the_file_is_called(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"id": ["a"], "score": [0.5]}), tmp_path / "scores.csv")
    raw = read_raw_table(tmp_path / "scores.csv")
    assert (raw.form, raw.named, len(raw)) == ("Parquet", True, 1)
    assert raw.table.schema.types == [pa.string(), pa.float64()]


def test_json_lines_by_content_and_dates_as_text(tmp_path: Path) -> None:
    (tmp_path / "scores.txt").write_text('{"id": "2020-01-01", "score": 1}\n{"id": "2020-01-02"}\n')
    raw = read_raw_table(tmp_path / "scores.txt")
    assert raw.form == "JSON-lines"
    assert raw.table.to_pydict() == {"id": ["2020-01-01", "2020-01-02"], "score": [1, None]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_of_any_encoding_and_line_end(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "scores.csv").write_bytes("id,score\rü,0.5\r\nb,1\n".encode(encoding))
    raw = read_raw_table(tmp_path / "scores.csv")
    assert raw.table.to_pydict() == {"id": ["ü", "b"], "score": ["0.5", "1"]}


def test_columns_in_messages(tmp_path: Path) -> None:
    (tmp_path / "scores.txt").write_text("a 0.5\n")
    raw = read_raw_table(tmp_path / "scores.txt")
    assert (raw.summary, raw.column_label(1)) == ("no header, 2 columns", "column 2")
    raw = read_raw_table(tmp_path / "scores.txt", delimiter=",", header=False)
    assert raw.names == ["1"]
    (tmp_path / "scores.csv").write_text("id,score\na,0.5\n")
    raw = read_raw_table(tmp_path / "scores.csv")
    assert (raw.summary, raw.column_label(1)) == ("id, score", "'score'")


def test_a_column_as_text(tmp_path: Path) -> None:
    table = pa.table({"id": [" a ", "b"], "n": [1, 2], "x": [[1], []], "y": ["a\nb", "c"], "z": pa.nulls(2)})
    pa.parquet.write_table(table, tmp_path / "scores.parquet")
    raw = read_raw_table(tmp_path / "scores.parquet")
    assert raw.read_text(0, "id").to_pylist() == ["a", "b"]
    assert raw.read_text(1, "id").to_pylist() == ["1", "2"]
    with pytest.raises(DataError, match="column 'x' cannot be the label: it holds list"):
        raw.read_text(2, "label")
    with pytest.raises(DataError, match="column 'y' cannot be the id: 1 values have line breaks"):
        raw.read_text(3, "id")
    assert [raw.has_values(index) for index in range(5)] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"\n \n", "the file is empty"),
        ("a.csv", b"id,score\n", "no rows below the header (id, score)"),
        ("a.csv", b"PK\x03\x04", "a workbook or another ZIP archive"),
        ("a.csv", b"id,score\na\x00,1\n", "a NUL byte at 10"),
        ("a.csv", b"id,score\n\xe9,1\n", "not text in UTF-8 (byte 9 is not)"),
        ("a.csv", b"\xff\xfei\x00d", "not text in UTF-16"),
        ("a.csv", b"PAR1 and no more", "cannot be read as a table"),
        ("a.parquet", b"id,score\na,1\n", "cannot be read as a table"),
        ("a.csv", b"id,id,score\na,b,1\n", "1 columns are given twice: id"),
        ("a.csv", b"id,score,x\x01\na,1,2\n", "1 columns have names that cannot be printed"),
        ("a.json", b'[{"id": "a"}]', "a JSON array; write one object a line"),
        ("a.json", b"null", ":1: no object; JSON-lines have one object a line"),
        ("a.json", b'\n null{"id": 1}', ":2: no object; JSON-lines have one object a line"),
        ("a.json", b'{"id": 1}\n' + b"null\n" * 300_000, ":2: no object; JSON-lines"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_raw_table(tmp_path / name)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such score file"):
        read_raw_table(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="a folder, not a score file"):
        read_raw_table(tmp_path)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("id;score\na;0,5\nb;0,7\n", ";"),
        ("id\tscore\na, b\t0.5\n", "\t"),
        ("a.jpg b.jpg 0.5\n", " "),
        ('"a b" 0.5\n"c d" 0.7\n', " "),
        ("one\ntwo\n", ","),
    ],
)
def test_the_delimiter_is_found(text: str, delimiter: str) -> None:
    assert find_delimiter(text) == delimiter


def test_columns_and_header() -> None:
    raw = read_delimited(PATH, "id; score\n a ;0.5\n\nb;1\n", None, None)
    assert (raw.form, raw.named) == ("CSV (;)", True)
    assert raw.table.to_pydict() == {"id": ["a", "b"], "score": ["0.5", "1"]}


def test_without_a_header_columns_are_numbered() -> None:
    raw = read_delimited(PATH, "a  0.5 \nb 1\n", None, None)
    assert (raw.form, raw.named) == ("text", False)
    assert raw.table.to_pydict() == {"1": ["a", "b"], "2": ["0.5", "1"]}


def test_a_header_may_leave_out_a_name() -> None:
    raw = read_delimited(PATH, ",score\n0,0.5\n", None, None)
    assert (raw.named, raw.table.to_pydict()) == (True, {"1": ["0"], "score": ["0.5"]})


def test_delimiter_and_header_may_be_given() -> None:
    raw = read_delimited(PATH, "x|live\ny|attack\n", "|", True)
    assert raw.table.to_pydict() == {"x": ["y"], "live": ["attack"]}
    raw = read_delimited(PATH, "x|live\ny|attack\n", "|", False)
    assert raw.table.to_pydict() == {"1": ["x", "y"], "2": ["live", "attack"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,score\na,1\nb,2,3\n",
            "1 of the lines have other than 2 cells, as the first line has: 'b,2,3' (3)",
        ),
        ("a 1\nb 2 3\n", "1 of the lines have other than 2 cells, as the first line has: 'b 2 3' (3)"),
        ('id,score\n"a,1\n"b",2\n', "a quote is opened and not closed on its line"),
        ("x,live\ny,attack\nz,live\n", "cannot tell whether the first line is a header ('x', 'live')"),
    ],
)
def test_bad_text_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=r"^a.csv: ") as caught:
        read_delimited(PATH, text, None, None)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_long_lines_are_cut_in_messages() -> None:
    with pytest.raises(DataError, match=r"'x{37}\.\.\.' \(1\)"):
        read_delimited(PATH, "id,score\n" + "x" * 100 + "\n", None, None)


def test_a_json_object_maps_ids_to_scores(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    path.write_text('{\n "a.jpg": 0.25,\n "b.jpg": 1\n}\n')
    raw = read_raw_table(path)
    assert raw.form == "JSON object (id: score)"
    assert raw.table.to_pydict() == {"id": ["a.jpg", "b.jpg"], "score": [0.25, 1.0]}


def test_one_row_of_json_lines_is_no_such_object(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text('{"score": 0.25, "label": 1}\n')
    assert read_raw_table(path).names == ["score", "label"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "id,score\na,1\nb," + "1" * 500_000, "a.csv:3: a number of more than 1000 digits"),
        ("a.json", '{"a": 0.' + "1" * 500_000 + "}", "a.json:1: a number of more than 1000 digits"),
        ("a.csv", ",".join(map(str, range(20_000))) + "\n", "a.csv: 20,000 columns: at most 4,096 are read"),
        ("a.txt", " ".join(map(str, range(20_000))) + "\n", "a.txt: 20,000 columns: at most 4,096 are read"),
        ("a.json", '{"a": {"b%s": 1}}\n', "a.json: more than 4,096 columns"),
        ("a.json", '{"a": 1}\n{"a": ' + "[" * 60 + "]" * 60 + "}\n", "a.json:2: nested more than 50 levels"),
        (
            "a.csv",
            "id,score\n" + "x" * (1 << 21) + ",1\n",
            "a.csv:2: a line of more than 1,048,576 characters",
        ),
    ],
    ids=["digits", "JSON digits", "columns", "words", "keys", "depth", "line"],
)
def test_files_of_strangers_are_read_within_limits(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    if "%s" in text:
        text = "".join(text % number for number in range(5000))
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        read_raw_table(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_a_text_that_is_too_long_is_no_id(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,score\n" + "x" * 5000 + ",1\nb,0\n")
    with pytest.raises(DataError, match=r"cannot be the id: a value of 5,000 characters, and at most 4,096"):
        read_raw_table(tmp_path / "a.csv").read_text(0, "id")
