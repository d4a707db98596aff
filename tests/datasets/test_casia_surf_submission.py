"""Lines of the submission file of the CASIA-SURF challenge. tests/commands/submit covers the written file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import DataError
from fas_plugins.datasets.casia_surf_submission import build_submission
from fas_plugins.datasets.options import CasiaSurfOptions

Write = Callable[..., Path]


def test_a_line_has_the_three_paths_and_no_label(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "lists/test_private_list.txt", "a.jpg b.jpg  c.jpg 1", "d.jpg e.jpg f.jpg 0")
    submission = build_submission(CasiaSurfOptions("lists"), tmp_path, "test")
    (part,) = submission.parts
    assert (submission.splits, submission.decimals) == (("test",), None)
    assert part.name == "test_private_list.txt"
    assert part.ids == ("a.jpg", "d.jpg")
    assert part.lines == ("a.jpg b.jpg c.jpg", "d.jpg e.jpg f.jpg")
    write(tmp_path / "lists/test_public_list.txt", "x.jpg y.jpg z.jpg")
    assert build_submission(CasiaSurfOptions("lists"), tmp_path, "test").parts[0].ids == ("x.jpg",)


def test_repeated_samples_and_missing_lists_are_refused(tmp_path: Path, write: Write) -> None:
    with pytest.raises(DataError, match=r"neither val_public_list\.txt nor val_private_list\.txt"):
        build_submission(CasiaSurfOptions(), tmp_path, "dev")
    write(tmp_path / "val_public_list.txt", "a b c", "a b c", "d e f")
    with pytest.raises(DataError, match="1 samples are listed twice: a"):
        build_submission(CasiaSurfOptions(), tmp_path, "dev")
    with pytest.raises(DataError, match="no 'train' split"):
        build_submission(CasiaSurfOptions(), tmp_path, "train")
