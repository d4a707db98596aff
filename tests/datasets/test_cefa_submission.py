"""Lines of the submission file of the CeFA challenge. tests/commands/submit covers the written file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import DataError
from fas_plugins.datasets.cefa_submission import build_submission
from fas_plugins.datasets.options import CefaOptions

Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path, write: Write) -> Path:
    for number in "123":
        write(tmp_path / f"phase1/4@{number}_dev_res.txt", f"dev/00{number}", "", f"dev\\00{number}1 ")
        write(tmp_path / f"phase2/4@{number}_test_res.txt", "test/1")
    return tmp_path


def test_phase_1_has_dev_and_phase_2_dev_and_test_of_each_sub_protocol(root: Path) -> None:
    first = build_submission(CefaOptions(), root, "dev")
    assert (first.splits, first.videos, first.decimals) == (("dev",), True, 5)
    assert [part.system for part in first.parts] == ["4@1", "4@2", "4@3"]
    assert first.parts[0].ids == ("dev/001", "dev/0011")
    assert first.parts[0].lines == ("dev/001", "dev\\0011")
    second = build_submission(CefaOptions(), root, "test")
    assert second.splits == ("dev", "test")
    assert [part.name for part in second.parts[:2]] == ["4@1_dev_res.txt", "4@1_test_res.txt"]


def test_labelled_lists_are_read_if_there_are_no_others(root: Path, write: Write) -> None:
    (root / "phase1/4@2_dev_res.txt").unlink()
    write(root / "phase1/4@2_dev_ref.txt", "dev/002 1")
    assert build_submission(CefaOptions(), root, "dev").parts[1].lines == ("dev/002",)


def test_malformed_missing_and_empty_lists_are_refused(root: Path, write: Write) -> None:
    file = write(root / "phase1/4@1_dev_res.txt", "dev/1", "dev/1", "dev/2/profile/1.jpg", "dev/3 1 2")
    with pytest.raises(DataError) as caught:
        build_submission(CefaOptions(), root, "dev")
    assert caught.value.problems == (
        f"{file}:2: dev/1 is listed before",
        f"{file}:3: 'dev/2/profile/1.jpg' is not like dev/003000, a video",
        f"{file}:4: 'dev/3 1 2' is not like dev/003000, a video",
    )
    write(file)
    with pytest.raises(DataError, match="the list is empty"):
        build_submission(CefaOptions(), root, "dev")
    file.unlink()
    with pytest.raises(DataError, match=r"no 4@1_dev_res\.txt nor 4@1_dev_ref\.txt"):
        build_submission(CefaOptions(), root, "dev")
    with pytest.raises(DataError, match="no 'train' split"):
        build_submission(CefaOptions(), root, "train")
