"""Numbers in text: what is one, and when a comma separates decimals."""

from __future__ import annotations

import pyarrow as pa
import pytest

from fas_core.scores.files.numbers import find_non_numbers, has_decimal_comma, is_number, parse_numbers


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
