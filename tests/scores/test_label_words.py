"""Words for classes and splits, in any case and with any separators."""

from __future__ import annotations

import pytest

from fas_core.errors import DataError
from fas_core.scores.label_words import describe_synonyms, parse_class, parse_split, refuse_synonyms
from fas_core.scores.table import ATTACK, LIVE


@pytest.mark.parametrize(
    "word",
    ["live", "Real", "GENUINE", "bonafide", "bona_fide", "Bona-Fide", "bona fide", "clients", " client "],
)
def test_words_for_live(word: str) -> None:
    assert parse_class(word) == LIVE


@pytest.mark.parametrize(
    "word", ["attack", "Attacks", "spoof", "spoofs", "fake", "imposter", "Impostors", "presentation-attack"]
)
def test_words_for_attack(word: str) -> None:
    assert parse_class(word) == ATTACK


@pytest.mark.parametrize("word", ["", "print", "positive", "licit", "1", "mask", "s", "-"])
def test_other_words_are_no_class(word: str) -> None:
    assert parse_class(word) is None


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("train", ["train", "Training"]),
        ("dev", ["dev", "devel", "development", "val", "valid", "Validation"]),
        ("test", ["test", "Testing", "eval", "evaluation"]),
        (None, ["extra", "", "trainer"]),
    ],
)
def test_words_for_splits(split: str | None, words: list[str]) -> None:
    assert [parse_split(word) for word in words] == [split] * len(words)


def test_two_words_for_one_meaning_are_refused() -> None:
    refuse_synonyms({"train": "train", "devel": "dev"}, "a")
    with pytest.raises(DataError, match=r"^a: 'dev' and 'val' both mean 'dev': merge them, or rename one$"):
        refuse_synonyms({"train": "train", "val": "dev", "dev": "dev"}, "a")


def test_only_words_that_are_read_as_others_are_described() -> None:
    assert describe_synonyms({"train": "train"}) == ()
    assert describe_synonyms({"train": "train", "val": "dev", "eval": "test"}) == (
        "read 'val' as 'dev', 'eval' as 'test'",
    )
