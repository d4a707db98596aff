"""Usual column names, in any spelling, and those that say attack."""

from __future__ import annotations

from itertools import chain

import pytest

from fas_core.scores.files.column_names import COLUMN_NAMES, is_known_name, mentions_attack, normalize_name
from fas_core.scores.table import SCHEMA


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
