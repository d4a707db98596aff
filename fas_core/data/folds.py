"""Folds of a train split for cross-validation: no two folds share a subject, or a value of another column.

A model is trained on all folds but one and scores that one; after as many models as there are folds, every
sample of train has a score of a model that was not trained on it, nor on its subject. Where dev shows
subjects of train, its samples of them are scored with their fold: they are held-out subjects in other images.

`subject+session` holds out both: the model of a fold is trained on the other subjects in all sessions but
one, and scores the fold's subjects in that session, and in dev's sessions that it was not trained on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.config.validators import FOLDS, MAX_FOLDS
from fas_core.contracts import DatasetReader
from fas_core.data.fold_numbers import choose_sessions, fold_numbers, read_groups
from fas_core.errors import ConfigError, DataError
from fas_core.records.samples import ATTACK, LIVE, SampleTable, concat


@frozen(eq=False)
class FoldAssignment:
    """The fold of each sample of the train split; samples of one value of column `by` share a fold."""

    reader: DatasetReader
    by: str
    count: int
    seed: int

    @classmethod
    def parse(cls, reader: DatasetReader, spec: str, seed: int) -> FoldAssignment:
        """Parse a recipe's `folds`: `COLUMN:K`, `COLUMN+session:K`, or `COLUMN` for a fold of each value.

        Raises:
            ConfigError: it is something else, or there is no such column.
            DataError: the column has one value, more than `MAX_FOLDS`, or samples without one.
        """
        if (match := FOLDS.fullmatch(spec)) is None:
            raise ConfigError(f"folds must be COLUMN:K, e.g. subject:5: {spec!r}")
        if match[2] is not None:
            return cls(reader, match[1], int(match[2]), seed)
        train = reader.samples("train")
        count = len(np.unique(read_groups(train, spec)))
        if not 1 < count <= MAX_FOLDS:
            raise DataError(
                f"{train.root}: folds by {spec}: train has {count} values, and not 2 to {MAX_FOLDS}"
            )
        return cls(reader, spec, count, seed)

    @property
    def spec(self) -> str:
        """`COLUMN:K`."""
        return f"{self.by}:{self.count}"

    @property
    def column(self) -> str:
        """The column that is divided: `by` without `+session`."""
        return self.by.removesuffix("+session")

    @cached_property
    def train(self) -> SampleTable:
        """All folds together."""
        return self.reader.samples("train")

    @cached_property
    def numbers(self) -> NDArray[np.intp]:
        """(N,) the fold of each sample of train, 1 to `count`; raises as `fold_numbers`."""
        return fold_numbers(self.train, self.column, self.count, self.seed)

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """How many values of the column each fold has."""
        pairs = set(zip(self.numbers.tolist(), self.train.column(self.column), strict=True))
        counts = Counter(fold for fold, _ in pairs)
        return tuple(counts[fold] for fold in range(1, self.count + 1))

    @cached_property
    def held_out_sessions(self) -> tuple[str, ...]:
        """The session that each fold's model is not trained on; empty where folds are by one column."""
        if self.column == self.by:
            return ()
        return choose_sessions(self.train, self.numbers, self.count)

    @cached_property
    def _dev(self) -> tuple[SampleTable, NDArray[np.intp]]:
        """Dev's labelled samples of train's groups that are held out, and the fold of each."""
        numbers = self.numbers.tolist()  # refuses an unknown column
        fold_of = dict(zip(self.train.column(self.column), numbers, strict=True))
        dev = self.reader.samples("dev") if "dev" in self.reader.splits() else self.train.take([])
        folds = np.array([fold_of.get(group, 0) for group in dev.column(self.column)], np.intp)
        rows = (folds > 0) & np.isin(dev.labels, (LIVE, ATTACK)) & self._in_held_out_session(dev, folds)
        return dev.take(rows), folds[rows]

    def _in_held_out_session(self, samples: SampleTable, folds: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(N,) whether the model of a sample's fold was trained on no sample of its session."""
        if not self.held_out_sessions:
            return np.ones(len(samples), np.bool_)
        train = set(self.train.column("session"))
        pairs = zip(samples.column("session"), folds.tolist(), strict=True)
        held_out = [
            fold > 0 and session is not None and session not in train - {self.held_out_sessions[fold - 1]}
            for session, fold in pairs
        ]
        return np.array(held_out, np.bool_)

    @cached_property
    def _scored_train(self) -> NDArray[np.bool_]:
        """(N,) which samples of train have an out-of-fold score."""
        return self._in_held_out_session(self.train, self.numbers)

    @cached_property
    def scored(self) -> SampleTable:
        """The samples with an out-of-fold score: train's, then dev's of the same groups."""
        dev, _ = self._dev
        train = self.train if self._scored_train.all() else self.train.take(self._scored_train)
        return concat([train, dev]) if len(dev) else train

    @property
    def scored_dev(self) -> int:
        """How many samples of dev have an out-of-fold score."""
        return len(self._dev[0])

    @cached_property
    def scored_numbers(self) -> NDArray[np.intp]:
        """The fold of each sample of `scored`."""
        return np.concatenate([self.numbers[self._scored_train], self._dev[1]])

    def trained_rows(self, fold: int) -> NDArray[np.bool_]:
        """(N,) which samples of train the model of a fold is trained on."""
        rows = np.not_equal(self.numbers, fold)
        if self.held_out_sessions:
            rows &= np.array(self.train.column("session")) != self.held_out_sessions[fold - 1]
        return np.asarray(rows, np.bool_)

    def digest(self) -> str:
        """16 hex digits that change with the samples and with their folds."""
        content = self.scored.fingerprint().encode() + self.scored_numbers.astype("<i8").tobytes()
        return hashlib.sha256(content).hexdigest()[:16]

    def hold_out(self, fold: int) -> DatasetReader:
        """Return the data set whose train split lacks a fold and whose dev split is that fold."""
        return _HeldOutDataset(self, fold)


@frozen(eq=False)
class _HeldOutDataset:
    """A data set whose dev split is `fold`, with the samples of its own dev that are of the same groups."""

    folds: FoldAssignment
    fold: int

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        """The data set's overlaps, without its own dev."""
        return tuple(pair for pair in self.folds.reader.overlaps if "dev" not in pair)

    @property
    def notes(self) -> tuple[str, ...]:
        folds, session = self.folds, ""
        if folds.held_out_sessions:
            session = f", and so is session {folds.held_out_sessions[self.fold - 1]!r}"
        note = f"dev: fold {self.fold} of {folds.count} by {folds.by}, which train leaves out{session}"
        return (*self.folds.reader.notes, note)

    def prepare(self) -> None:
        self.folds.reader.prepare()

    def splits(self) -> tuple[str, ...]:
        others = (name for name in self.folds.reader.splits() if name not in ("train", "dev"))
        return ("train", "dev", *others)

    def samples(self, split: str) -> SampleTable:
        """Return the samples of a split; raises as `fold_numbers`, and as the data set itself."""
        folds = self.folds
        if split == "train":
            return folds.train.take(folds.trained_rows(self.fold))
        if split == "dev":
            return folds.scored.take(folds.scored_numbers == self.fold)
        return folds.reader.samples(split)


def shared_groups(first: SampleTable, second: SampleTable, by: str) -> tuple[int, int] | None:
    """(values of `by` that both tables have, values that the second has); None where the second has none."""
    groups, others = (set(samples.column(by)) - {None} for samples in (first, second))
    return (len(groups & others), len(others)) if others else None


def straddling_subjects(samples: SampleTable, numbers: NDArray[np.intp]) -> tuple[int, int]:
    """(subjects in more than one fold, all subjects), of those that are known."""
    pairs = set(zip(samples.column("subject"), numbers.tolist(), strict=True))
    folds = Counter(subject for subject, _ in pairs if subject is not None)
    return sum(several > 1 for several in folds.values()), len(folds)
