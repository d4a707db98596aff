"""Delimiters, headers, lines and numbers of delimited text."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from fas_core.errors import DataError
from fas_core.scores.files.delimited import (
    find_delimiter,
    find_non_numbers,
    has_decimal_comma,
    is_number,
    parse_numbers,
    read_delimited,
)

PATH = Path("a.csv")


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
    form, table, named = read_delimited(PATH, "id; score\n a ;0.5\n\nb;1\n", None, None)
    assert (form, named) == ("CSV (;)", True)
    assert table.to_pydict() == {"id": ["a", "b"], "score": ["0.5", "1"]}


def test_without_a_header_columns_are_numbered() -> None:
    form, table, named = read_delimited(PATH, "a  0.5 \nb 1\n", None, None)
    assert (form, named) == ("text", False)
    assert table.to_pydict() == {"1": ["a", "b"], "2": ["0.5", "1"]}


def test_a_header_may_leave_out_a_name() -> None:
    _, table, named = read_delimited(PATH, ",score\n0,0.5\n", None, None)
    assert (named, table.to_pydict()) == (True, {"1": ["0"], "score": ["0.5"]})


def test_delimiter_and_header_may_be_given() -> None:
    _, table, _ = read_delimited(PATH, "x|live\ny|attack\n", "|", True)
    assert table.to_pydict() == {"x": ["y"], "live": ["attack"]}
    _, table, _ = read_delimited(PATH, "x|live\ny|attack\n", "|", False)
    assert table.to_pydict() == {"1": ["x", "y"], "2": ["live", "attack"]}


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


@pytest.mark.parametrize(
    "text", ["0", "-1.5", "+.5", "2.", "1e-3", "1E+05", " 7 ", "inf", "-Infinity", "NaN", "0,5"]
)
def test_numbers(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", ".", "-", "1e", "1.2.3", "5%", "1 000", "0x10", "high", "1_000", "٣"])
def test_other_text(text: str) -> None:
    assert not is_number(text)


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["0.5", "", "1e-3"], [0.5, None, 0.001]),
        (["0,5", "", "2"], [0.5, None, 2.0]),
        (["1,2345", "-3,0e-1"], [1.2345, -0.3]),
        (["0,750"], [0.75]),
        (["1,234"], None),
        (["0,5", "0.5"], None),
        (["0,5", "1,234,567"], None),
        (["0.5", "high"], None),
    ],
)
def test_columns_of_numbers(cells: list[str], numbers: list[float | None] | None) -> None:
    parsed = parse_numbers(pa.array(cells))
    assert (None if parsed is None else parsed.to_pylist()) == numbers


def test_the_offenders() -> None:
    assert find_non_numbers(pa.array(["0.5", "x", "", None, "1,5"])).to_pylist() == [
        False,
        True,
        False,
        False,
        True,
    ]


def test_a_comma_before_three_digits_alone_is_no_decimal_comma() -> None:
    assert not has_decimal_comma(pa.array(["1,234", "5"]))
    assert has_decimal_comma(pa.array(["1,234", "5,5"]))
