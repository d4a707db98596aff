"""Which folders hold a run or a group of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core.runs import files


@pytest.mark.parametrize("name", ["recipe.yaml", "folds.yaml", "protocol_set.yaml"])
def test_a_folder_with_the_file_of_a_run_or_group_holds_runs(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert files.holds_runs(tmp_path)


def test_other_folders_hold_none(tmp_path: Path) -> None:
    (tmp_path / "results.json").touch()
    (tmp_path / "fold-1").mkdir()
    (tmp_path / "fold-1" / "recipe.yaml").touch()
    assert not files.holds_runs(tmp_path)
    assert not files.holds_runs(tmp_path / "missing")
