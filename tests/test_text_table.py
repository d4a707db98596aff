"""Tables of text fit the width, keep their first column, and show names as text."""

from __future__ import annotations

from fas_core.text_table import Styled, Table, escape_table, format_plain, split_columns


def test_numbers_are_aligned_right_and_headers_at_the_bottom() -> None:
    table = Table("", ("", "Acc", "TPR@FPR\n=1e-2"), [("dev", "99.00", "8.33"), ("test", "7.50", "")])
    assert format_plain(table).splitlines() == [
        "             TPR@FPR",
        "        Acc    =1e-2",
        "dev   99.00     8.33",
        "test   7.50",
    ]


def test_a_wide_table_of_numbers_becomes_blocks_that_repeat_the_first_column() -> None:
    table = Table("", ("name", "a", "b", "c"), [("x", "1.00", "2.00", "3.00")])
    assert [block.columns for block in split_columns(table, 16)] == [["name", "a", "b"], ["name", "c"]]
    assert [block.columns for block in split_columns(table, 80)] == [["name", "a", "b", "c"]]


def test_rows_without_values_in_a_block_are_left_out_of_it() -> None:
    table = Table("", ("name", "a", "b"), [("x", "1.00", ""), ("y", "", "2.00")])
    assert [block.rows for block in split_columns(table, 10)] == [[["x", "1.00"]], [["y", "2.00"]]]


def test_text_is_not_divided_into_blocks() -> None:
    table = Table("", ("name", "summary"), [("x", "a long text")], left=(0, 1))
    assert split_columns(table, 8) == [table]


def test_control_characters_of_cells_are_escaped_and_styles_stay() -> None:
    cell = Styled("a\x1b[2Jb", "dim")
    (row,) = escape_table(Table("", ("name",), [(cell,)])).rows
    assert row[0] == "a\\x1b[2Jb"
    assert isinstance(row[0], Styled)
    assert row[0].style == "dim"
