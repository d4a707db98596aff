"""Quarters of a batch's images change places within their class, and nowhere else."""

from __future__ import annotations

import numpy as np

from fas_core.data.mixing import donors, mixed

LABELS = np.array([1, 0, 0, 1, 0, 1, 0], np.int8)
PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))


def numbered(side: int) -> np.ndarray:
    """A batch whose pixels say their sample, row and column."""
    count = len(LABELS)
    sample, row, column = np.meshgrid(np.arange(count), np.arange(side), np.arange(side), indexing="ij")
    return np.stack([sample, row, column], axis=-1).astype(np.uint8)


def test_a_quarter_stays_at_its_place_and_goes_to_the_same_class() -> None:
    whose = donors(LABELS, np.random.default_rng(1))
    batch = numbered(8)
    found = mixed({"rgb": batch}, whose)["rgb"]
    np.testing.assert_array_equal(found[..., 1:], batch[..., 1:])
    for place, (down, right) in enumerate(PLACES):
        quarter = found[:, 4 * down : 4 * down + 4, 4 * right : 4 * right + 4, 0]
        np.testing.assert_array_equal(quarter, np.broadcast_to(whose[place][:, None, None], quarter.shape))
    np.testing.assert_array_equal(LABELS[whose], np.tile(LABELS, (4, 1)))
    assert all(sorted(rows) == list(range(len(LABELS))) for rows in whose.tolist())  # none is lost
    assert len({tuple(rows) for rows in whose.tolist()}) == 4  # and places are drawn apart


def test_all_modalities_are_mixed_alike_and_nothing_is_written_over() -> None:
    batch = numbered(9)
    before = batch.copy()
    found = mixed({"rgb": batch, "ir": 200 - batch}, donors(LABELS, np.random.default_rng(2)))
    np.testing.assert_array_equal(found["ir"], 200 - found["rgb"])
    np.testing.assert_array_equal(batch, before)


def test_a_class_of_one_keeps_its_picture() -> None:
    whose = donors(np.array([0, 1, 0], np.int8), np.random.default_rng(3))
    assert whose[:, 1].tolist() == [1, 1, 1, 1]
