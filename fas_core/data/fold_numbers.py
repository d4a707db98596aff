"""Assign groups of samples to folds, stratified by class and PAI species, and sessions to folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fas_core.errors import ConfigError, DataError, suggest_closest
from fas_core.records.samples import ATTACK, COLUMNS, LIVE, SampleTable

GROUP_COLUMNS = tuple(name for name in COLUMNS if name != "box")


def fold_numbers(samples: SampleTable, by: str, count: int, seed: int) -> NDArray[np.intp]:
    """Assign groups, the samples of one value of column `by`, to folds, stratified by class and PAI species.

    The same samples, in any order, and the same seed give the same folds.

    Returns:
        (N,) from 1 to `count`, which is at least 2; every fold has both classes.

    Raises:
        ConfigError: there is no such column.
        DataError: samples have no label or no group, or there are not enough groups of either class.
    """
    groups = read_groups(samples, by)
    labels = samples.labels
    if unlabelled := int(np.sum((labels != LIVE) & (labels != ATTACK))):
        raise DataError(f"{samples.root}: {unlabelled} training samples have no label")
    classes = {"": labels == labels, " with live samples": labels == LIVE, " with attacks": labels == ATTACK}
    for suffix, rows in classes.items():
        if (number := len(np.unique(groups[rows]))) < count:
            noun = by if number == 1 else plural(by)
            raise DataError(f"{samples.root}: {count} folds by {by}: train has only {number} {noun}{suffix}")
    numbers = 1 + assign_groups(samples, groups, [1.0] * count, seed)
    for name, rows in (("live samples", labels == LIVE), ("attacks", labels == ATTACK)):
        if missing := sorted(set(range(1, count + 1)) - set(numbers[rows].tolist())):
            fold = f"fold {missing[0]} of {count} by {by}"
            raise DataError(f"{samples.root}: {fold} has no {name}: take fewer folds")
    return numbers


def choose_sessions(samples: SampleTable, numbers: NDArray[np.intp], count: int) -> tuple[str, ...]:
    """Choose the session that is held out together with each fold, so that every session is about as often.

    Args:
        numbers: (N,) the fold of each sample, 1 to `count`.

    Raises:
        DataError: samples have no session, or no session of a fold has both classes and leaves both.
    """
    read_groups(samples, "session")
    sessions = np.array(samples.column("session"), object)
    classes = [samples.labels == LIVE, samples.labels == ATTACK]
    chosen: list[str] = []
    for fold in range(1, count + 1):
        sizes = {}
        for session in sorted(set(sessions)):
            held_out, train = (
                (numbers == fold) & (sessions == session),
                (numbers != fold) & (sessions != session),
            )
            if all((rows & label).any() for rows in (held_out, train) for label in classes):
                sizes[session] = int(held_out.sum())
        if not sizes:
            raise DataError(
                f"{samples.root}: folds with sessions: fold {fold} of {count} has no session with live "
                "samples and attacks that can be held out: take fewer folds"
            )
        chosen.append(min(sizes, key=lambda session: (chosen.count(session), -sizes[session])))
    return tuple(chosen)


def assign_groups(
    samples: SampleTable, groups: NDArray[np.intp], sizes: Sequence[float], seed: int
) -> NDArray[np.intp]:
    """Assign groups of labelled samples to folds of relative sizes, stratified by class and PAI species.

    Args:
        samples: N samples.
        groups: (N,) the index of each sample's group, from 0.
        sizes: relative size of each fold, > 0.
        seed: of the order of groups of one size.

    Returns:
        (N,) the fold of each sample, an index of `sizes`.
    """
    return _assign(_shares(samples, groups), sizes, seed)[groups]


def read_groups(samples: SampleTable, by: str) -> NDArray[np.intp]:
    """(N,) the index of each row's value among the column's sorted values."""
    if by not in GROUP_COLUMNS:
        raise ConfigError(f"folds by {by!r}: samples have no such column{suggest_closest(by, GROUP_COLUMNS)}")
    column = samples.table.column(by)
    if column.null_count:
        missing = f"{column.null_count} of {len(samples)} training samples"
        raise DataError(f"{samples.root}: folds by {by}: it is not known of {missing}")
    return encode_groups(column)


def encode_groups(column: pa.ChunkedArray) -> NDArray[np.intp]:
    """(N,) the index of each value among the column's sorted values."""
    values = pc.unique(column)
    return np.asarray(pc.index_in(column, values.take(pc.sort_indices(values))).to_numpy(), np.intp)


def _shares(samples: SampleTable, groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """(groups, strata) each group's share of all samples of a stratum: a class, or a species of attacks."""
    codes = encode_groups(pc.fill_null(samples.table.column("species"), ""))
    live, attacks = samples.labels == LIVE, samples.labels == ATTACK
    strata = [live, attacks, *(attacks & (codes == code) for code in range(codes.max() + 1))]
    counts = np.stack([np.bincount(groups[rows], minlength=groups.max() + 1) for rows in strata], axis=1)
    return np.asarray(counts / np.maximum(counts.sum(axis=0), 1), np.float64)


def _assign(shares: NDArray[np.float64], sizes: Sequence[float], seed: int) -> NDArray[np.intp]:
    """(groups,) folds from 0: the largest group first, each to the fold that has least of its strata."""
    # There the sum of squared shares over all folds grows least. An empty fold has none: none stays empty.
    order = np.random.default_rng(seed).permutation(len(shares))
    order = order[np.argsort(-shares[order].sum(axis=1), kind="stable")]
    weights = np.asarray(sizes, np.float64)
    totals, folds = np.zeros((len(weights), shares.shape[1])), np.zeros(len(shares), np.intp)
    for group in order:
        folds[group] = np.lexsort((-weights, totals.sum(axis=1) / weights, totals @ shares[group] / weights))[
            0
        ]
        totals[folds[group]] += shares[group]
    return folds


def plural(column: str) -> str:
    """`subjects`, but `species`."""
    return column if column.endswith("s") else f"{column}s"
