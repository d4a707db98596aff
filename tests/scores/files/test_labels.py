"""Column names in any spelling; labels as numbers, truth values and words; species that agree with them."""

from __future__ import annotations

from itertools import chain
from typing import Literal

import pyarrow as pa
import pytest

from fas_core.errors import DataError
from fas_core.scores.files.labels import (
    COLUMN_NAMES,
    are_label_words,
    check_species,
    is_known_name,
    labels_from_species,
    mentions_attack,
    normalize_name,
    parse_labels,
)
from fas_core.scores.table import SCHEMA


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


def test_every_column_of_a_score_table_is_known_by_its_own_name() -> None:
    assert set(COLUMN_NAMES) == set(SCHEMA.names)
    assert all(role in names for role, names in COLUMN_NAMES.items())


def test_no_name_has_two_roles_and_all_are_normalized() -> None:
    names = list(chain.from_iterable(COLUMN_NAMES.values()))
    assert len(set(names)) == len(names)
    assert [normalize_name(name) for name in names] == names


@pytest.mark.parametrize("name", ["Live-Score ", "live.score", "LIVE SCORE", "live_score", "(Live) Score"])
def test_spelling_does_not_matter(name: str) -> None:
    assert normalize_name(name) == "live_score"
    assert is_known_name(name)


def test_other_names_are_not_known() -> None:
    assert not is_known_name("remark")
    assert not is_known_name("")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("spoof_score", True), ("Is-Attack", True), ("fake", True), ("score", False), ("attacker", False)],
)
def test_names_that_say_attack(name: str, expected: bool) -> None:
    assert mentions_attack(name) == expected
