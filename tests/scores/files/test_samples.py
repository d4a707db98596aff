"""Ids, labels and splits of a score file, or of the list that it is joined with."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core.errors import DataError
from fas_core.scores.files import Reading, ScoreFile, read_scores

OULU = "+1,6_3_20_1\n-1,6_3_20_2\n-1,6_3_20_5\n"


def read(folder: Path, text: str, labels: str | None = None) -> ScoreFile:
    (folder / "scores.txt").write_text(text)
    if labels is None:
        return read_scores(folder / "scores.txt")
    (folder / "list.txt").write_text(labels)
    return read_scores(folder / "scores.txt", Reading(), folder / "list.txt")


def columns(file: ScoreFile, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(file.table.table.column(name).to_pylist() for name in names), strict=True))


def test_frames_take_the_labels_of_their_videos(tmp_path: Path) -> None:
    rows = "".join(
        f"{video}/{frame}.jpg,{video},0.5\n"
        for video in ("6_3_20_1", "6_3_20_2", "6_3_20_5")
        for frame in (1, 2)
    )
    file = read(tmp_path, f"id,video,score\n{rows}", OULU)
    assert columns(file, "id", "label", "video")[1:3] == [
        ("6_3_20_1/2.jpg", 1, "6_3_20_1"),
        ("6_3_20_2/1.jpg", 0, "6_3_20_2"),
    ]
    assert file.description.endswith("whose ids are the videos of the samples")


def test_repeated_ids_of_other_files_are_explained(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"1 ids are given more than once: v1: .*--column video=id --column id="
    ):
        read(tmp_path, "id,score,label\nv1,0.5,1\nv1,0.6,1\n")
    (tmp_path / "scores.txt").write_text("id,score,label\nv1,0.5,1\nv1,0.6,1\n")
    file = read_scores(tmp_path / "scores.txt", Reading(columns={"video": "id", "id": ""}))
    assert columns(file, "id", "video") == [("1", "v1"), ("2", "v1")]


def test_words_for_splits(tmp_path: Path) -> None:
    file = read(tmp_path, "id,score,label,split\na,0.5,1,devel\nb,0.6,0,eval\n")
    assert columns(file, "split") == [("dev",), ("test",)]
    assert "split is 'split' (devel = dev, eval = test)" in file.description
    with pytest.raises(DataError, match="'dev' and 'val' both mean 'dev'"):
        read(tmp_path, "id,score,label,split\na,0.5,1,dev\nb,0.6,0,val\n")
