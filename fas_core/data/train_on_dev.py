"""Dev merged into train: for cross-validation, whose threshold needs no dev split."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from attrs import frozen

from fas_core.contracts import DatasetReader
from fas_core.errors import DataError
from fas_core.records.samples import ATTACK, LIVE, SampleTable, concat


@frozen(eq=False, slots=False)
class DevMergedDataset:
    """A data set whose train split includes the labelled samples of dev, and that has no dev split."""

    reader: DatasetReader

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        """The data set's overlaps, with train in place of dev."""
        pairs = (tuple("train" if name == "dev" else name for name in pair) for pair in self.reader.overlaps)
        return tuple(dict.fromkeys((first, second) for first, second in pairs if first != second))

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.reader.notes, "dev is trained on: it is a part of train")

    def prepare(self) -> None:
        self.reader.prepare()

    def splits(self) -> tuple[str, ...]:
        return tuple(name for name in self.reader.splits() if name != "dev")

    def samples(self, split: str) -> SampleTable:
        """Return the samples of a split.

        Raises:
            DataError: `split` is dev, the data set has no dev to train on, or its samples cannot be read.
        """
        if split == "dev":
            raise DataError("no split 'dev': the model was trained on it (data.train_on_dev)")
        return self._train if split == "train" else self.reader.samples(split)

    @cached_property
    def _train(self) -> SampleTable:
        train = self.reader.samples("train")
        if "dev" not in self.reader.splits():
            raise DataError(f"{train.root}: there is no dev split to train on: leave data.train_on_dev away")
        dev = self.reader.samples("dev")
        return concat([train, dev.take(np.isin(dev.labels, (LIVE, ATTACK)))])
