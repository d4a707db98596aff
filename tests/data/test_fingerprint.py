"""Which changes of the samples and their files a fingerprint notices, and which are none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fas_core.data import fingerprint
from fas_core.data.fingerprint import SplitFingerprint
from fas_core.records.samples import SampleTable, concat

COLUMNS = {
    "id": ["a", "b", "c"],
    "rgb": ["a.png", "b.png", "c.png"],
    "depth": ["a.dep", None, "c.dep"],
    "label": [1, 0, None],
    "species": ["none", "print", None],
    "subject": ["s1", "s2", None],
    "box": [[1, 2, 3, 4], None, None],
}


def table(root: Path, **changed: Any) -> SampleTable:
    return SampleTable.of({**COLUMNS, **changed}, modalities=("rgb", "depth"), root=root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Files of different sizes."""
    folder = tmp_path / "data"
    folder.mkdir()
    for size, name in enumerate(("a.png", "b.png", "c.png", "a.dep", "c.dep"), 1):
        (folder / name).write_bytes(b"x" * size)
    return folder


def test_counts_and_bytes_are_of_the_split(root: Path) -> None:
    found = SplitFingerprint.of(table(root))
    assert (found.samples, found.live, found.attack, found.bytes) == (3, 1, 1, 15)


def test_moved_files_are_the_same(root: Path, tmp_path: Path) -> None:
    before = SplitFingerprint.of(table(root))
    moved = shutil.copytree(root, tmp_path / "elsewhere")
    after = SplitFingerprint.of(table(moved))
    assert after == before
    assert after.describe_changes(before) == []


def test_a_table_of_several_chunks_is_the_same(root: Path) -> None:
    whole = table(root)
    parts = concat([whole.take([0]), whole.take([1, 2])])
    assert SplitFingerprint.of(parts) == SplitFingerprint.of(whole)


def test_a_column_of_which_nothing_is_known_is_as_none(root: Path) -> None:
    without = {name: values for name, values in COLUMNS.items() if name != "subject"}
    same = SampleTable.of(without, modalities=("rgb", "depth"), root=root)
    assert SplitFingerprint.of(same) == SplitFingerprint.of(table(root, subject=[None] * 3))


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"label": [0, 0, None]}, "3 samples (0 live, 2 attack), were 3 samples (1 live, 1 attack)"),
        ({"label": [0, 1, None]}, "other labels"),
        ({"id": ["a", "b", "d"]}, "other names, order, boxes or groups of samples"),
        ({"box": [[1, 2, 3, 5], None, None]}, "other names, order, boxes or groups of samples"),
        ({"subject": ["s1", None, "s2"]}, "other names, order, boxes or groups of samples"),
        ({"subject": ["s1", "s2", "None"]}, "other names, order, boxes or groups of samples"),
    ],
)
def test_a_changed_table_is_noticed(root: Path, changed: dict[str, Any], line: str) -> None:
    before, after = SplitFingerprint.of(table(root)), SplitFingerprint.of(table(root, **changed))
    assert after.describe_changes(before) == [line]


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "c.dep").write_bytes(b"another"),
        lambda root: (root / "c.png").unlink(),
        lambda root: (root / "a.png").rename(root / "old") and (root / "b.png").rename(root / "a.png"),
    ],
    ids=["larger", "missing", "exchanged"],
)
def test_other_files_under_the_same_names_are_noticed(root: Path, change: Callable[[Path], object]) -> None:
    before = SplitFingerprint.of(table(root))
    change(root)
    (line,) = SplitFingerprint.of(table(root)).describe_changes(before)
    assert line.startswith("other files: their sizes differ (")
    assert line.endswith(" bytes, were 15)")


def test_of_many_files_those_of_evenly_spread_samples_count(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "SIZED_SAMPLES", 2)  # the first and the last sample
    assert SplitFingerprint.of(table(root)).bytes == 1 + 3 + 4 + 5


def test_an_empty_split_has_a_fingerprint(root: Path) -> None:
    assert SplitFingerprint.of(table(root).take([])).samples == 0
