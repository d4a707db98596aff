"""Quarters of a batch's images that change places within a class."""

from __future__ import annotations

import numpy as np
import pytest

from fas_plugins.augmentations.mix import QuarterMix
from fas_plugins.augmentations.options import MixOptions

LABELS = np.array([1, 0, 0, 1, 0, 1, 0], np.int8)
ALWAYS = QuarterMix(MixOptions(1.0))


def draw(labels: np.ndarray, seed: int) -> np.ndarray:
    donors = ALWAYS.draw_donors(labels, np.random.default_rng(seed))
    assert donors is not None
    return donors


def numbered(side: int) -> np.ndarray:
    """A batch whose pixels say their sample, row and column."""
    count = len(LABELS)
    sample, row, column = np.meshgrid(np.arange(count), np.arange(side), np.arange(side), indexing="ij")
    return np.stack([sample, row, column], axis=-1).astype(np.uint8)


def test_a_quarter_stays_at_its_place_and_goes_to_the_same_class() -> None:
    donors = draw(LABELS, 1)
    batch = numbered(8)
    mixed = ALWAYS.mix(batch, donors)
    np.testing.assert_array_equal(mixed[..., 1:], batch[..., 1:])
    for quarter_number, (down, right) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        quarter = mixed[:, 4 * down : 4 * down + 4, 4 * right : 4 * right + 4, 0]
        np.testing.assert_array_equal(
            quarter, np.broadcast_to(donors[quarter_number][:, None, None], quarter.shape)
        )
    np.testing.assert_array_equal(LABELS[donors], np.tile(LABELS, (4, 1)))
    assert all(sorted(rows) == list(range(len(LABELS))) for rows in donors.tolist())  # none is lost
    assert len({tuple(rows) for rows in donors.tolist()}) == 4  # and quarters are drawn independently


def test_modalities_are_mixed_alike_and_the_batch_is_not_changed() -> None:
    batch = numbered(9)
    before = batch.copy()
    donors = draw(LABELS, 2)
    np.testing.assert_array_equal(ALWAYS.mix(200 - batch, donors), 200 - ALWAYS.mix(batch, donors))
    np.testing.assert_array_equal(batch, before)


def test_a_class_of_one_keeps_its_picture() -> None:
    assert draw(np.array([0, 1, 0], np.int8), 3)[:, 1].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("probability", [0.0, 0.3])
def test_a_probability_is_that_of_a_batch(probability: float) -> None:
    mixing = QuarterMix(MixOptions(probability))
    drawn = [mixing.draw_donors(LABELS, np.random.default_rng(seed)) for seed in range(300)]
    assert np.mean([donors is not None for donors in drawn]) == pytest.approx(probability, abs=0.08)
