"""Numbers and decimal commas; labels as numbers, truth values and words; species that agree with them."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pytest

from fas_core.errors import DataError
from fas_core.scores.files.labels import (
    are_label_words,
    check_species,
    find_non_numbers,
    has_decimal_comma,
    is_number,
    labels_from_species,
    mentions_attack,
    parse_labels,
    parse_numbers,
)


def parse(
    *cells: str | None, one: Literal["live", "attack"] | None = None, name: str = "label"
) -> tuple[list[int | None], str]:
    labels, remark = parse_labels(pa.array(cells, pa.string()), one, where="a.csv: column 'label'", name=name)
    assert labels.type == pa.int8()
    return labels.to_pylist(), remark


def test_numbers_and_truth_values_follow_the_meaning_of_one() -> None:
    assert parse("1", "0.0", "", None) == ([1, 0, None, None], "1 = live")
    assert parse("1", "0.0", "", one="attack") == ([0, 1, None], "1 = attack")
    assert parse("True", "FALSE") == ([1, 0], "1 = live")
    assert parse("True", "FALSE", one="attack", name="is_spoof") == ([0, 1], "1 = attack")


def test_words_mean_the_same_whatever_one_means() -> None:
    words = ("Bona-Fide", "presentation_attack", "IMPOSTOR", "genuine", "")
    for one in ("live", "attack", None):
        assert parse(*words, one=one, name="is_attack") == ([1, 0, 0, 1, None], "words")


def test_an_empty_column_has_no_labels() -> None:
    assert parse("", None) == ([None, None], "1 = live")


@pytest.mark.parametrize(
    ("cells", "name", "message"),
    [
        (["1", "2", "2"], "label", "labels of 2 rows are not understood: '2'"),
        (["live", "print"], "label", "labels of 1 rows are not understood: 'print'"),
        (["1", "live"], "label", "labels of several kinds, so none is clear: '1', 'live'"),
        (["1", "true"], "label", "labels of several kinds"),
        (["1", "0"], "is_attack", "does 1 mean attack in column 'is_attack'?"),
    ],
)
def test_unclear_labels_are_refused(cells: list[str], name: str, message: str) -> None:
    with pytest.raises(DataError, match=r"^a.csv: column 'label': ") as caught:
        parse(*cells, name=name)
    assert message in str(caught.value)


def test_columns_of_label_words() -> None:
    assert are_label_words(pa.array(["live", "Spoof", ""]))
    assert not are_label_words(pa.array(["live", "print"]))
    assert not are_label_words(pa.array([""]))
    assert not are_label_words(pa.array(["live"] * 101))


def test_labels_from_species_need_a_word_for_live() -> None:
    assert labels_from_species(pa.array(["Real", "print", "", None])).to_pylist() == [1, 0, None, None]
    assert labels_from_species(pa.array(["print", "replay"])) is None


def test_species_of_live_samples_are_live() -> None:
    species, labels = pa.array(["none", "print", None, "x"]), pa.array([1, 0, 0, None], pa.int8())
    assert check_species(species, labels, pa.array(list("abcd")), "a.csv").to_pylist() == [
        "live",
        "print",
        None,
        "x",
    ]


def test_species_that_contradict_labels_are_refused() -> None:
    with pytest.raises(DataError, match=r"contradict each other in 2 rows: a \(print\), b \(live\)"):
        check_species(pa.array(["print", "live"]), pa.array([1, 0], pa.int8()), pa.array(["a", "b"]), "a.csv")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("spoof_score", True), ("Is-Attack", True), ("fake", True), ("score", False), ("attacker", False)],
)
def test_names_that_say_attack(name: str, expected: bool) -> None:
    assert mentions_attack(name) == expected


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
