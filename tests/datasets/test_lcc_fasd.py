"""LCC-FASD on a miniature tree in the documented layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.testing import check_dataset, open_dataset

Touch = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path, touch: Touch) -> Path:
    """Folders for train and dev, and the flat evaluation."""
    for folder in ("LCC_FASD_training", "LCC_FASD_development"):
        touch(tmp_path / folder, "real/AGL752VM_id147_s0_120.png", "real/7.jpg", "real/Thumbs.db")
        touch(tmp_path / folder, "spoof/FT720P_G780_REDMI4X_id0_s1_15.png", "spoof/real_copy.png")
    touch(tmp_path / "LCC_FASD_evaluation", "real_1.png", "spoof_980.PNG", "spoof2.jpg", "readme.txt")
    return tmp_path


def test_folders_tell_the_label_and_names_the_rest(root: Path) -> None:
    lcc = open_dataset(root)
    assert lcc.splits() == ("train", "dev", "test")
    train = lcc.samples("train")
    assert train.column("id") == [
        "LCC_FASD_training/real/7.jpg",
        "LCC_FASD_training/real/AGL752VM_id147_s0_120.png",
        "LCC_FASD_training/spoof/FT720P_G780_REDMI4X_id0_s1_15.png",
        "LCC_FASD_training/spoof/real_copy.png",
    ]
    assert train.labels.tolist() == [1, 1, 0, 0]
    assert train.column("species") == ["live", "live", None, None]
    assert train.column("device") == [None, "AGL752VM", "FT720P_G780_REDMI4X", None]
    assert train.column("session") == [None, "0", "1", None]
    assert train.column("frame") == [None, 120, 15, None]
    assert train.column("video")[1:3] == [
        "LCC_FASD_training/real/AGL752VM_id147_s0",
        "LCC_FASD_training/spoof/FT720P_G780_REDMI4X_id0_s1",
    ]
    check_dataset("lcc_fasd", root)


def test_the_evaluation_is_flat_or_in_folders(root: Path, touch: Touch) -> None:
    test = open_dataset(root).samples("test")
    assert test.column("rgb") == [
        f"LCC_FASD_evaluation/{name}" for name in ("real_1.png", "spoof2.jpg", "spoof_980.PNG")
    ]
    assert test.labels.tolist() == [1, 0, 0]
    touch(root / "LCC_FASD_evaluation", "spoof/real_2.png")
    assert open_dataset(root).samples("test").labels.tolist() == [1, 0, 0, 0]


def test_images_of_no_label_are_all_named(root: Path, touch: Touch) -> None:
    touch(root / "LCC_FASD_evaluation", "a.png", "fake/b.png")
    with pytest.raises(DataError, match="2 problems") as caught:
        open_dataset(root).samples("test")
    assert caught.value.problems == tuple(
        f"{root}/LCC_FASD_evaluation/{name}: neither in real/ or spoof/ nor named real... or spoof..."
        for name in ("a.png", "fake/b.png")
    )


def test_other_folders_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no LCC_FASD_training here"):
        open_dataset("lcc_fasd", tmp_path).splits()
    (tmp_path / "LCC_FASD_training").mkdir()
    reader = open_dataset(tmp_path)
    with pytest.raises(DataError, match="no images in this folder"):
        reader.samples("train")
    with pytest.raises(DataError, match="no 'dev' split"):
        reader.samples("dev")


def test_files_that_are_left_out_are_counted(root: Path, touch: Touch) -> None:
    touch(root, "LCC_FASD_training/real/8.heic", "LCC_FASD_training/.ipynb_checkpoints/real/7.jpg")
    assert open_dataset(root).notes == ("2 files left out: 1 .heic, 1 .txt",)
