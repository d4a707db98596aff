"""Members' scores joined by sample id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fas_core.errors import DataError
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.ensemble.joined_scores import join_scores
from fas_plugins.commands.ensemble.rule import FittedRule

Make = Callable[..., ScoreTable]
MEAN = FittedRule("mean", ("a", "b"))


def test_rows_are_joined_by_id_in_any_order(make_scores: Make) -> None:
    rng = np.random.default_rng(0)
    labels = np.array([True, True, True, False, False, False])
    ids = [f"s{row}" for row in range(6)]
    first = make_scores(rng.random(6), labels, ids)
    order, second = rng.permutation(6), rng.random(6)
    shuffled = make_scores(second[order], labels[order], [ids[row] for row in order])
    joined = join_scores({"first": first, "second": shuffled})
    assert joined.samples.table.column("id").to_pylist() == ids
    assert joined.scores.tolist() == [first.scores.tolist(), second.tolist()]
    assert joined.member(1).scores.tolist() == second.tolist()


def test_the_ensembles_table_has_the_columns_of_the_samples(make_scores: Make) -> None:
    first = make_scores([0.25, 0.5], [1, 0], species=["live", "print"], subject=["p", "q"])
    joined = join_scores({"a": first, "b": make_scores([0.75, 0.5], [1, 0])})
    combined = joined.combine(MEAN)
    assert combined.scores.tolist() == [0.5, 0.5]
    assert combined.table.column("subject").to_pylist() == ["p", "q"]
    assert combined.table.column("species").to_pylist() == ["live", "print"]
    tables = [table.scores.tolist() for table in joined.all_tables(MEAN)]
    assert tables == [[0.25, 0.5], [0.75, 0.5], [0.5, 0.5]]


def test_an_unlabelled_member_gets_the_labels_of_the_other(make_scores: Make) -> None:
    joined = join_scores({"a": make_scores([0.1, 0.2]), "b": make_scores([0.2, 0.1], [1, 0], ["s1", "s0"])})
    assert joined.samples.labels.tolist() == [1, 0]
    assert joined.scores.tolist() == [[0.2, 0.1], [0.2, 0.1]]


def test_ranges_beyond_probabilities_leave_out_nan(make_scores: Make) -> None:
    rows = {"a": [0.0, 1.0, np.nan], "b": [-0.5, np.nan, 2.0], "c": [np.nan] * 3}
    joined = join_scores({name: make_scores(row) for name, row in rows.items()})
    assert joined.ranges_beyond_unit() == {"b": (-0.5, 2.0)}


@pytest.mark.parametrize(
    ("other", "messages"),
    [
        (([0.1, 0.2, 0.3], [1, 0, 0], ["s0", "s1", "x"]), ["a and b", "1 ids only in", "s2, x"]),
        (([0.1, 0.2], [1, 0]), ["a and b", "1 ids only in the first", "s2"]),
        (([0.1, 0.2, 0.3], [1, 1, 0]), ["a and b", "label 1 samples differently", "s1"]),
        (([0.1, np.inf, -np.inf], [1, 0, 0]), ["b: 2 of 3 scores are infinite"]),
    ],
)
def test_members_of_different_samples_are_refused_in_one_line(
    make_scores: Make, other: tuple[Any, ...], messages: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        join_scores({"a": make_scores([0.5, 0.5, 0.5], [1, 0, 0]), "b": make_scores(*other)})
    assert "\n" not in str(caught.value)
    for message in messages:
        assert message in str(caught.value)
