"""Divide samples for the choice of a hyper-parameter: fit on some people and sessions, evaluate on others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from attrs import frozen
from numpy.typing import NDArray

from fas_core.data.fold_numbers import assign_groups, encode_groups
from fas_core.records.samples import ATTACK, LIVE, SampleTable


@frozen(eq=False)
class HeldOutRows:
    """Masks of N samples, (N,) each: those to fit on, and those to evaluate on."""

    train: NDArray[np.bool_]
    held_out: NDArray[np.bool_]


def hold_out_people_and_sessions(
    samples: SampleTable, blocks: int, seed: int
) -> tuple[str, list[HeldOutRows]]:
    """Return the columns that are held out, and the divisions of the samples.

    With subjects and sessions, each block of subjects is evaluated in each session, by what is fitted on the
    other subjects in the other sessions: `subject+session`. Where the samples name only one of the two, or
    have only one value of it, the other alone is held out, and where they name neither, single samples are
    (`id`). Divisions that lack a class on one of the sides are left out.

    Args:
        samples: all labelled.
        blocks: into which subjects (or samples) are divided, at most.
        seed: of the division.
    """
    subjects, sessions = _read_groups(samples, "subject"), _read_groups(samples, "session")
    everywhere = np.ones(len(samples), np.bool_)
    if subjects is None and sessions is not None:
        cells = [(everywhere, sessions == value) for value in np.unique(sessions)]
        return "session", _divide(samples, cells, either=False)
    name = "id" if subjects is None else "subject"
    groups = np.arange(len(samples)) if subjects is None else subjects
    count = min(blocks, len(np.unique(groups)))
    numbers = assign_groups(samples, groups, [1.0] * count, seed)
    people = [numbers == number for number in range(count)]
    if sessions is not None:
        cells = [(rows, sessions == value) for rows in people for value in np.unique(sessions)]
        if folds := _divide(samples, cells, either=True):
            return "subject+session", folds
    return name, _divide(samples, [(rows, everywhere) for rows in people], either=False)


def _read_groups(samples: SampleTable, column: str) -> NDArray[np.intp] | None:
    """(N,) the index of each sample's value; None where values are missing or all the same."""
    values: pa.ChunkedArray = samples.table.column(column)
    if values.null_count:
        return None
    groups = encode_groups(values)
    return groups if len(np.unique(groups)) > 1 else None


def _divide(
    samples: SampleTable, cells: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]], *, either: bool
) -> list[HeldOutRows]:
    """Hold out the samples of each cell, two masks that both apply.

    `either`: what is fitted has none of the samples of either mask; else none of the cell.
    """
    live, attack = samples.labels == LIVE, samples.labels == ATTACK
    folds = []
    for first, second in cells:
        held_out = first & second
        train = ~(first | second) if either else ~held_out
        if all((rows & label).any() for rows in (train, held_out) for label in (live, attack)):
            folds.append(HeldOutRows(train, held_out))
    return folds
