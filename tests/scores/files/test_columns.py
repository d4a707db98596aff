"""Which column has which role: as requested, by name, or by content where there is no header."""

from __future__ import annotations

from itertools import chain
from math import inf, nan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fas_core.errors import DataError
from fas_core.scores.files.columns import (
    COLUMN_NAMES,
    RawTable,
    assign_columns,
    is_known_name,
    normalize_name,
    recorded_thresholds,
    require_column,
)
from fas_core.scores.table import SCHEMA

ROLES = ("id", "score", "label", "species")


def raw(named: bool = True, **columns: Any) -> RawTable:
    names = list(columns) if named else [str(number) for number in range(1, len(columns) + 1)]
    table = pa.Table.from_arrays([pa.array(cells) for cells in columns.values()], names=names)
    return RawTable(Path("a.csv"), "CSV (,)", table, named)


ONE = {"path": ["x"], "prob": ["0.5"], "gt": ["1"]}


def test_columns_by_name() -> None:
    assert assign_columns(raw(**ONE), ROLES, {}) == {"id": 0, "score": 1, "label": 2}
    assert assign_columns(raw(**ONE), ("score",), {}) == {"score": 1}


def test_of_several_ids_the_most_usual_name_counts() -> None:
    assert assign_columns(raw(path=["x"], id=["y"], score=["1"]), ROLES, {}) == {"id": 1, "score": 2}


def test_columns_by_content() -> None:
    found = raw(named=False, a=["0.5", "2"], b=["x", "y"], c=["1", "0"], d=["", ""], e=["more", "text"])
    assert assign_columns(found, ROLES, {}) == {"score": 0, "id": 1, "label": 2}


def test_a_request_comes_first_by_name_or_number() -> None:
    both = raw(score=["0.1"], prob=["0.9"], **{"2": ["0.7"]})
    assert assign_columns(both, ROLES, {"score": "prob"}) == {"score": 1}
    assert assign_columns(both, ROLES, {"score": "1"}) == {"score": 0}
    assert assign_columns(both, ROLES, {"score": "2"}) == {"score": 2}  # a name before a number
    assert assign_columns(both, ROLES, {"score": ""}) == {}


@pytest.mark.parametrize(
    ("table", "requested", "message"),
    [
        (raw(score=["1"], prob=["1"]), {}, "2 columns could be the score: 'score', 'prob'"),
        (raw(named=False, a=["1"], b=["0"]), {}, "2 columns could be the label: column 1, column 2"),
        (raw(**ONE), {"score": "prop"}, "no column 'prop' for 'score' (did you mean 'prob'?)"),
        (
            raw(named=False, a=["1"]),
            {"score": "2"},
            "no column '2' for 'score' (no header; there are columns 1 to 1)",
        ),
    ],
)
def test_ambiguous_and_missing_columns_are_refused(
    table: RawTable, requested: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=r"^a.csv: ") as caught:
        assign_columns(table, ROLES, requested)
    assert message in str(caught.value)


def test_a_required_column() -> None:
    assert require_column(raw(**ONE), {"score": 1}, "score") == 1
    with pytest.raises(DataError, match=r"no column that is plainly the label \(found: path, prob, gt\)"):
        require_column(raw(**ONE), {}, "label")


@pytest.mark.parametrize(
    ("cells", "thresholds"),
    [
        (["0.6", "0.4", "0.6"], (0.4, 0.6)),
        ([" 0.5", "", ""], (0.5,)),
        ([0.5, nan, inf], (0.5,)),
        ([1, 2, 2], (1.0, 2.0)),
        (["high", "0.5", ""], ()),
        ([True, False, True], ()),
        ([[0.5], [0.5], []], ()),
    ],
)
def test_recorded_thresholds(cells: list[Any], thresholds: tuple[float, ...]) -> None:
    found = raw(Threshold=cells)
    assert recorded_thresholds(found, {}) == ({0: thresholds} if thresholds else {})
    assert recorded_thresholds(found, {"score": 0}) == {}
    assert recorded_thresholds(raw(cut=cells), {}) == {}


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
