"""Files of the simulator: lists, manifest and record, and the check that they fit the options."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from fas_core import DataError
from fas_plugins.datasets.simulator import dataset_files
from fas_plugins.datasets.simulator.dataset_files import is_written, write_dataset
from fas_plugins.datasets.simulator.options import SyntheticOptions

SMALL = SyntheticOptions(subjects=9, shots=1, size=48)
"""Of the data set `fas_simulator`."""


@pytest.fixture
def simulated(fas_simulator: dict[str, Any]) -> Path:
    return Path(fas_simulator["root"])


def read_files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_lists_name_existing_images_and_the_label(simulated: Path) -> None:
    for folder in (".", "unseen_species", "unseen_group"):
        for split in ("train", "val_private", "test_private"):
            lines = (simulated / folder / f"{split}_list.txt").read_text().splitlines()
            assert lines
            for line in lines:
                *paths, label = line.split(" ")
                assert len(paths) == 3
                assert all((simulated / path).is_file() for path in paths)
                assert label == str(int("/real_part/" in line))


def test_manifest_and_record(simulated: Path) -> None:
    with (simulated / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "species", "subject", "group"]
    assert len(rows) == len({row["id"] for row in rows}) == 72
    record = json.loads((simulated / "simulator.json").read_text())
    assert record["samples"] == 72
    assert record["made_with"] == {"version": 1, "subjects": 9, "shots": 1, "size": 48, "seed": 0}
    assert "not that faces are protected" in record["note"]


def test_the_bytes_do_not_depend_on_the_number_of_workers(simulated: Path, tmp_path: Path) -> None:
    for workers in (0, 2):
        write_dataset(tmp_path / str(workers), SMALL, workers=workers)
        assert read_files(tmp_path / str(workers)) == read_files(simulated)


def test_missing_and_empty_folders_are_not_written(simulated: Path, tmp_path: Path) -> None:
    assert is_written(simulated, SMALL)
    assert not is_written(tmp_path, SMALL)
    assert not is_written(tmp_path / "missing", SMALL)


def test_another_version_is_refused(simulated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_files, "VERSION", 2)
    with pytest.raises(DataError, match="version 1, expected version 2"):
        is_written(simulated, SMALL)


def test_a_record_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "simulator.json").write_text("")
    with pytest.raises(DataError, match=r"simulator\.json: not JSON: "):
        is_written(tmp_path, SMALL)


@pytest.mark.parametrize("text", ["[]", "{}", '{"made_with": 3}'])
def test_a_malformed_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "simulator.json").write_text(text)
    with pytest.raises(DataError, match="simulator's record"):
        is_written(tmp_path, SMALL)
