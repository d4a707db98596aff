"""Which samples an epoch shows, in which order: all once, or classes or species equally often.

A draw is a row of the sample table, plus the number of its former draws in the epoch times the number of
rows: a row that is drawn again has another number, and so another augmentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE, SampleTable

Draws = NDArray[np.int64]


@frozen(eq=False)
class RowGroup:
    """Rows of one class or species, and the share of an epoch's draws that they get, in (0, 1]."""

    rows: NDArray[np.int64]
    share: float


def group_rows(samples: SampleTable, balance: Literal["class", "species"] | None) -> list[RowGroup]:
    """Return the groups of all samples: one; live samples and attacks, half the draws each; or species.

    Species have equal shares of their class's half, so that a rare one is drawn as often as a common one.

    Raises:
        DataError: a class is absent, or a sample to be balanced by species has none.
    """
    if balance is None:
        return [RowGroup(np.arange(len(samples), dtype=np.int64), 1.0)]
    classes = [np.flatnonzero(samples.labels == label) for label in (ATTACK, LIVE)]
    if not all(map(len, classes)):
        raise DataError(f"{samples.root}: train.balance needs live samples and attacks")
    if balance == "class":
        return [RowGroup(rows, 0.5) for rows in classes]
    column = samples.table.column("species")
    if column.null_count:
        raise DataError(
            f"{samples.root}: train.balance: {column.null_count} of {len(samples)} samples have no species: "
            "name their species, or use `class`"
        )
    codes = column.combine_chunks().dictionary_encode().indices.to_numpy()
    groups = []
    for rows in classes:
        species = [rows[codes[rows] == code] for code in np.unique(codes[rows])]
        groups += [RowGroup(members, 0.5 / len(species)) for members in species]
    return groups


def draw_rows(groups: Sequence[RowGroup], rng: np.random.Generator) -> Draws:
    """Draw as many rows as there are, in random order; each group gets its share, to within one row.

    A group of fewer rows than its share has all of them drawn again and again, none more than once more often
    than another; of a larger group a random part is drawn.
    """
    if len(groups) == 1:
        return rng.permutation(groups[0].rows)
    count = sum(len(group.rows) for group in groups)
    ends = np.rint(count * np.cumsum([group.share for group in groups])).astype(np.int64)
    draws = []
    for group, size in zip(groups, np.diff(ends, prepend=0), strict=True):
        turns = np.arange(size)
        rows = rng.permutation(group.rows)[turns % len(group.rows)]
        draws.append(rows + turns // len(group.rows) * count)
    return rng.permutation(np.concatenate(draws))


def epoch_batches(
    groups: Sequence[RowGroup], batch_size: int, *, seed: int, epoch: int, world_size: int = 1
) -> list[Draws]:
    """Return the draws of each batch of one epoch; the processes that train together share each batch.

    As many rows as there are, are drawn by (seed, epoch) alone. The last batch may be smaller; one of a
    single sample is dropped, because batch normalisation cannot train on it, and so is one of fewer samples
    than there are processes.

    Raises:
        DataError: there are fewer than two rows for each process.
    """
    count = sum(len(group.rows) for group in groups)
    if count < 2 * world_size:
        raise DataError(f"{count} samples to train on: there must be two for each of {world_size} processes")
    draws = draw_rows(groups, np.random.default_rng([seed, epoch]))
    batches = [draws[start : start + batch_size] for start in range(0, count, batch_size)]
    return batches if len(batches[-1]) >= max(2, world_size) else batches[:-1]
