"""Folds of a train split: parts that share no subject, or no other value of a column, one held out at a time.

A model is trained on all folds but one and scores that one; after as many models as there are folds every
sample of train has a score of a model that was not trained on it, or on anybody in it. Where dev shows people
of train, its samples of them are scored with their fold, for they are people held out in other pictures.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen
from numpy.typing import NDArray

from fas_core.config.recipe import FOLDS
from fas_core.contracts import DatasetReader
from fas_core.errors import ConfigError, DataError, suggest_closest
from fas_core.records.samples import ATTACK, COLUMNS, LIVE, SampleTable, concat

GROUPED = tuple(name for name in COLUMNS if name != "box")
"""What samples can be grouped by."""


@frozen(eq=False)
class Folds:
    """The folds of a data set's train split.

    Args:
        reader: the data set.
        by: column of the sample table; samples of the same value are in the same fold.
        count: how many folds.
        seed: of who is in which.
    """

    reader: DatasetReader
    by: str
    count: int
    seed: int

    @classmethod
    def of(cls, reader: DatasetReader, spec: str, seed: int) -> Folds:
        """Of `COLUMN:K`, as a recipe's `folds` says it.

        Raises:
            ConfigError: it is none.
        """
        if (found := FOLDS.fullmatch(spec)) is None:
            raise ConfigError(f"folds must be COLUMN:K, e.g. subject:5: {spec!r}")
        return cls(reader, found[1], int(found[2]), seed)

    @cached_property
    def train(self) -> SampleTable:
        """All folds together."""
        return self.reader.samples("train")

    @cached_property
    def numbers(self) -> NDArray[np.intp]:
        """(N,) the fold of each sample of train, 1 to `count`; raises as `fold_numbers`."""
        return fold_numbers(self.train, self.by, self.count, self.seed)

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """How many values of the column each fold has."""
        column = self.train.table.column(self.by)
        parts = [column.filter(pa.array(self.numbers == fold)) for fold in range(1, self.count + 1)]
        return tuple(len(part.unique()) for part in parts)

    @cached_property
    def _of_dev(self) -> tuple[SampleTable, NDArray[np.intp]]:
        """Dev's labelled samples of the folds' groups, and the fold of each."""
        numbers = self.numbers
        dev = self.reader.samples("dev") if "dev" in self.reader.splits() else self.train.take([])
        values = self.train.table.column(self.by)
        distinct = pc.unique(values)
        fold_of = numbers[np.asarray(pc.index_in(distinct, values.combine_chunks()).to_numpy())]
        place = pc.index_in(dev.table.column(self.by), distinct)
        known = np.asarray(place.is_valid()) & np.isin(dev.labels, (LIVE, ATTACK))
        found = dev.take(known)
        return found, fold_of[np.asarray(pc.fill_null(place, 0).to_numpy(), np.intp)[known]]

    @cached_property
    def scored(self) -> SampleTable:
        """What gets an out-of-fold score: train, then dev's samples of the same groups."""
        return concat([self.train, self._of_dev[0]]) if len(self._of_dev[0]) else self.train

    @cached_property
    def scored_numbers(self) -> NDArray[np.intp]:
        """The fold of each of them."""
        return np.concatenate([self.numbers, self._of_dev[1]])

    def digest(self) -> str:
        """Of samples and folds: 16 hex digits that change when either does."""
        known = self.scored.fingerprint().encode() + self.scored_numbers.astype("<i8").tobytes()
        return hashlib.sha256(known).hexdigest()[:16]

    def holding_out(self, fold: int) -> DatasetReader:
        """The data set with a train split of the other folds, and for dev what this one's model scores."""
        return _HeldOut(self, fold)


@frozen(eq=False)
class _HeldOut:
    """A data set of which `fold` is dev, with those samples of its own dev that are of the same groups."""

    folds: Folds
    fold: int

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        """Those of the data set, but for its own dev."""
        return tuple(pair for pair in self.folds.reader.overlaps if "dev" not in pair)

    @property
    def notes(self) -> tuple[str, ...]:
        folds = self.folds
        said = f"dev: fold {self.fold} of {folds.count} by {folds.by}, which train leaves out"
        return (*folds.reader.notes, said)

    def prepare(self) -> None:
        self.folds.reader.prepare()

    def splits(self) -> tuple[str, ...]:
        others = (name for name in self.folds.reader.splits() if name not in ("train", "dev"))
        return ("train", "dev", *others)

    def samples(self, split: str) -> SampleTable:
        """Samples of a split; raises as `fold_numbers`, and as the data set itself."""
        if split not in ("train", "dev"):
            return self.folds.reader.samples(split)
        folds = self.folds
        if split == "dev":
            return folds.scored.take(folds.scored_numbers == self.fold)
        return folds.train.take(folds.numbers != self.fold)


def fold_numbers(samples: SampleTable, by: str, count: int, seed: int) -> NDArray[np.intp]:
    """(N,) from 1 to `count`: rows of one value of `by` are in one fold, and every fold has both classes.

    Folds have about as many samples of each class, and of each species of attacks, as each other, as far as
    that goes with whole groups. The same samples, in whatever order, and the same seed give the same folds.

    Args:
        samples: labelled.
        by: a column of the sample table.
        count: of folds, at least 2.
        seed: of the order in which groups of equal make-up are dealt out.

    Raises:
        ConfigError: there is no such column.
        DataError: samples have no label or no group, or there are not enough groups of either class.
    """
    groups = _groups(samples, by)
    labels = samples.labels
    if unlabelled := int(np.sum((labels != LIVE) & (labels != ATTACK))):
        raise DataError(f"{samples.root}: {unlabelled} training samples have no label")
    classes = {"": labels == labels, " with live samples": labels == LIVE, " with attacks": labels == ATTACK}
    for what, rows in classes.items():
        if (there := len(np.unique(groups[rows]))) < count:
            named = by if there == 1 else plural(by)
            raise DataError(f"{samples.root}: {count} folds by {by}: train has only {there} {named}{what}")
    numbers = 1 + _dealt(_shares(samples, groups), count, seed)[groups]
    for name, rows in (("live samples", labels == LIVE), ("attacks", labels == ATTACK)):
        if without := sorted(set(range(1, count + 1)) - set(numbers[rows].tolist())):
            raise DataError(
                f"{samples.root}: fold {without[0]} of {count} by {by} has no {name}: take fewer folds"
            )
    return numbers


def _groups(samples: SampleTable, by: str) -> NDArray[np.intp]:
    """(N,) which value of the column a row has, by the values' order."""
    if by not in GROUPED:
        raise ConfigError(f"folds by {by!r}: samples have no such column{suggest_closest(by, GROUPED)}")
    column = samples.table.column(by)
    if empty := column.null_count:
        raise DataError(
            f"{samples.root}: folds by {by}: it is not known of {empty} of {len(samples)} training samples"
        )
    return _codes(column)


def _codes(column: pa.ChunkedArray) -> NDArray[np.intp]:
    values = pc.unique(column)
    return np.asarray(pc.index_in(column, values.take(pc.sort_indices(values))).to_numpy(), np.intp)


def _shares(samples: SampleTable, groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """(groups, kinds) which share of all samples of a kind, a class or a species of attacks, a group has."""
    species = pc.fill_null(samples.table.column("species"), "")
    kinds = [*(samples.labels == label for label in (LIVE, ATTACK))]
    kinds += [(samples.labels == ATTACK) & (_codes(species) == code) for code in range(len(species.unique()))]
    counts = np.stack([np.bincount(groups[rows], minlength=groups.max() + 1) for rows in kinds], axis=1)
    return np.asarray(counts / np.maximum(counts.sum(axis=0), 1), np.float64)


def _dealt(shares: NDArray[np.float64], count: int, seed: int) -> NDArray[np.intp]:
    """(groups,) the fold of each, from 0: the largest first, each to the fold that has least of what it has.

    That is where the sum of the squares of all folds' shares grows least. A fold that has nothing yet is
    always such a one, so that none stays empty.
    """
    order = np.random.default_rng(seed).permutation(len(shares))
    order = order[np.argsort(-shares[order].sum(axis=1), kind="stable")]
    held, folds = np.zeros((count, shares.shape[1])), np.zeros(len(shares), np.intp)
    for group in order:
        folds[group] = np.lexsort((held.sum(axis=1), held @ shares[group]))[0]
        held[folds[group]] += shares[group]
    return folds


def plural(column: str) -> str:
    """`subjects`, but `species`."""
    return column if column.endswith("s") else f"{column}s"


def shared_groups(first: SampleTable, second: SampleTable, by: str) -> tuple[int, int] | None:
    """How many values of `by` the second table shares with the first, and has; None where it has none."""
    here, there = (set(pc.unique(table.table.column(by)).to_pylist()) - {None} for table in (first, second))
    return (len(here & there), len(there)) if there else None


def straddling_subjects(samples: SampleTable, numbers: NDArray[np.intp]) -> tuple[int, int]:
    """How many known subjects are in more than one fold, and how many there are."""
    pairs = set(zip(samples.column("subject"), numbers.tolist(), strict=True))
    folds = Counter(subject for subject, _ in pairs if subject is not None)
    return sum(several > 1 for several in folds.values()), len(folds)
