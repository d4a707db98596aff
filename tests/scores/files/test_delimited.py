"""Delimiters, headers and lines of delimited text."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core.errors import DataError
from fas_core.scores.files.delimited import find_delimiter, read_delimited

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
