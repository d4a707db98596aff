"""A data set whose dev is merged into train."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.contracts import DatasetReader
from fas_core.data.folds import FoldAssignment
from fas_core.data.open import DevMergedDataset
from fas_core.records.samples import SampleTable

Rows = list[tuple[str, int | None]]


def people(count: int) -> Rows:
    """Two live samples and two attacks of each subject."""
    return [(f"p{number}", label) for number in range(count) for label in (1, 1, 0, 0)]


def table(rows: Rows, prefix: str = "") -> SampleTable:
    """Samples of (subject, label)."""
    names = [f"{prefix}{row}.png" for row in range(len(rows))]
    columns = {
        "id": names,
        "rgb": names,
        "subject": [row[0] for row in rows],
        "label": [row[1] for row in rows],
    }
    return SampleTable.of(columns, modalities=("rgb",), root=Path("faces"))


class Reader:
    """A data set of these tables."""

    overlaps = (("train", "dev"), ("dev", "test"), ("train", "test"))
    notes = ("as it is",)

    def __init__(self, **splits: SampleTable) -> None:
        self.tables = splits

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]:
        return tuple(self.tables)

    def samples(self, split: str) -> SampleTable:
        return self.tables[split]


def test_labelled_samples_of_dev_join_train_and_its_folds() -> None:
    train, test = table(people(6)), table(people(2))
    dev = table([*people(4), ("p1", None)], "dev-")
    merged: DatasetReader = DevMergedDataset(Reader(train=train, dev=dev, test=test))
    assert merged.splits() == ("train", "test")
    assert merged.overlaps == (("train", "test"),)
    assert merged.notes == ("as it is", "dev is trained on: it is a part of train")
    assert merged.samples("train").column("id") == train.column("id") + dev.column("id")[:-1]
    assert merged.samples("test") is test
    with pytest.raises(DataError, match="no split 'dev'"):
        merged.samples("dev")
    folds = FoldAssignment.parse(merged, "subject:3", seed=5)
    assert folds.scored is folds.train
    for fold in (1, 2, 3):
        view = folds.hold_out(fold)
        rest, held_out = view.samples("train"), view.samples("dev")
        assert not set(rest.column("subject")) & set(held_out.column("subject"))
        assert len(rest) + len(held_out) == len(train) + len(dev) - 1


def test_there_must_be_a_dev_to_be_trained_on() -> None:
    with pytest.raises(DataError, match=r"faces: there is no dev split to train on"):
        DevMergedDataset(Reader(train=table(people(2)))).samples("train")
