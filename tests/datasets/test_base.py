"""The base class of readers: defaults of the DatasetReader contract, and unknown splits."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import frozen

from fas_core import DataError, NoOptions, SampleTable
from fas_core.contracts import DatasetReader
from fas_plugins.datasets.base import Reader


@frozen
class OneImage(Reader[NoOptions]):
    """A data set of one live image per split."""

    def splits(self) -> tuple[str, ...]:
        return ("train", "test")

    def _read(self, split: str) -> SampleTable:
        return SampleTable.of({"id": [split], "rgb": ["1.jpg"]}, modalities=("rgb",), root=self.root)


def test_defaults_of_the_contract(tmp_path: Path) -> None:
    reader: DatasetReader = OneImage(NoOptions(), root=str(tmp_path))
    reader.prepare()
    assert reader.overlaps == reader.notes == ()
    assert reader.samples("test").column("id") == ["test"]
    assert reader.samples("test").path(0, "rgb") == tmp_path / "1.jpg"


def test_an_unknown_split_is_refused_before_reading(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no 'dev' split \(there are: train, test\)"):
        OneImage(NoOptions(), root=tmp_path).samples("dev")


def test_a_reader_without_splits_cannot_be_built(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="abstract"):
        Reader(NoOptions(), tmp_path)  # type: ignore[abstract]
