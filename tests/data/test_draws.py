"""Which samples an epoch shows: shares of classes and species, the same for the same seed and epoch."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fas_core import DataError
from fas_core.data.draws import Draws, RowGroup, draw_rows, epoch_batches, group_rows
from fas_core.records.samples import SampleTable

SPECIES = ["live"] * 6 + ["print"] * 30 + ["replay"] * 3 + ["mask"]


def table(species: list[str | None] = SPECIES) -> SampleTable:  # type: ignore[assignment]
    names = [f"{row}.png" for row in range(len(species))]
    labels = [int(name == "live") for name in species]
    columns = {"id": names, "rgb": names, "label": labels, "species": species}
    return SampleTable.of(columns, modalities=("rgb",), root="faces")


def draw(balance: Literal["class", "species"] | None, seed: int = 0) -> Draws:
    return draw_rows(group_rows(table(), balance), np.random.default_rng(seed))


def test_without_balance_every_row_is_drawn_once() -> None:
    assert sorted(draw(None)) == list(range(40))


def test_classes_are_drawn_equally_often() -> None:
    draws = draw("class")
    assert len(draws) == 40
    assert Counter(SPECIES[row % 40] == "live" for row in draws) == {True: 20, False: 20}


def test_species_share_their_class_equally() -> None:
    drawn = Counter(SPECIES[row % 40] for row in draw("species"))
    assert drawn.total() == 40
    assert drawn["live"] == 20
    assert all(drawn[name] in (6, 7) for name in ("print", "replay", "mask"))


def test_no_row_of_a_group_is_drawn_twice_more_often_than_another() -> None:
    drawn = Counter(int(row) for row in draw("species") % 40)
    assert sorted(drawn[row] for row in range(6)) == [3, 3, 3, 3, 4, 4]
    assert max(drawn[row] for row in range(6, 36)) == 1


def test_each_draw_of_a_row_has_a_number_of_its_own() -> None:
    draws = draw("species")
    assert len(set(draws.tolist())) == len(draws)
    assert set(range(6)) <= set(draws.tolist())  # the first draws are the rows themselves


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(0, 3), st.integers(1, 3))
def test_draws_depend_on_seed_and_epoch_alone(seed: int, epoch: int, processes: int) -> None:
    groups = group_rows(table(), "species")
    whole, shared = (
        epoch_batches(groups, 4, seed=seed, epoch=epoch, world_size=count) for count in (1, processes)
    )
    assert all(np.array_equal(one, other) for one, other in zip(whole, shared, strict=False))
    assert set(np.concatenate(whole)) == set(
        np.concatenate(epoch_batches(groups, 40, seed=seed, epoch=epoch))
    )


def test_epochs_draw_other_rows_of_a_large_group() -> None:
    groups = group_rows(table(), "species")
    first, second = (set(np.concatenate(epoch_batches(groups, 40, seed=0, epoch=epoch))) for epoch in (0, 1))
    assert first != second


def test_samples_without_a_species_are_refused() -> None:
    with pytest.raises(DataError, match="2 of 4 samples have no species: name their species, or use `class`"):
        group_rows(table(["live", "print", None, None]), "species")


def test_a_single_class_is_refused() -> None:
    with pytest.raises(DataError, match=r"train\.balance needs live samples and attacks"):
        group_rows(table(["live", "live"]), "class")


def test_only_a_last_batch_of_one_is_left_out() -> None:
    def sizes(count: int) -> list[int]:
        groups = [RowGroup(np.arange(count), 1.0)]
        return [len(batch) for batch in epoch_batches(groups, 4, seed=0, epoch=0)]

    assert [sizes(11), sizes(9), sizes(3)] == [[4, 4, 3], [4, 4], [3]]
