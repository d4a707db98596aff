"""List files, file suffixes and problems that are reported together."""

from __future__ import annotations

from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.data.text_lists import is_image, is_video, known_split, read_lines, refuse, split_modality


def test_images_and_videos_by_suffix() -> None:
    names = ["a.jpg", "b/A.PNG", "b/.hidden.png", ".a.mov", "a.MOV", "a.txt", "jpg"]
    assert [is_image(name) for name in names] == [True, True, False, False, False, False, False]
    assert [is_video(name) for name in names] == [False, False, False, False, True, False, False]


def test_lines_with_any_line_end_byte_order_mark_and_blanks(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes("\ufeffa\r\n\n  b c \rd\n".encode())
    assert read_lines(tmp_path / "list.txt") == ["a", "", "b c", "d", ""]


def test_files_that_are_no_lists(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(DataError, match="not a text file in UTF-8"):
        read_lines(tmp_path / "binary")
    with pytest.raises(DataError, match=r"none\.txt: no such list"):
        read_lines(tmp_path / "none.txt")
    with pytest.raises(DataError, match="cannot be read"):
        read_lines(tmp_path)


def test_all_problems_are_reported_at_once() -> None:
    refuse(Path("list.txt"), [])
    with pytest.raises(DataError, match=r"list\.txt: 1 problem") as refusal:
        refuse(Path("list.txt"), ["list.txt:3: no label"])
    assert refusal.value.problems == ("list.txt:3: no label",)


def test_many_problems_are_counted() -> None:
    problems = [f"list.txt:{line}: no label" for line in range(25)]
    with pytest.raises(DataError, match=r"list\.txt: 25 problems") as refusal:
        refuse(Path("list.txt"), problems)
    assert refusal.value.problems == (*problems[:20], "and 5 more")


def test_a_split_is_one_of_those_there_are() -> None:
    assert known_split("dev", ("train", "dev"), Path("/faces")) == "dev"
    with pytest.raises(DataError, match=r"/faces: no 'test' split \(there are: train, dev\)"):
        known_split("test", ("train", "dev"), Path("/faces"))


@pytest.mark.parametrize(
    ("path", "modality", "rest"),
    [
        ("depth/x.png", "depth", "x"),
        ("a/IR/b/x.png", "ir", "a/b/x"),
        ("a/x_depth.png", "depth", "a/x"),
        ("a/x-Color.jpg", "rgb", "a/x"),
        ("x.depth.png", None, "x.depth"),
        ("_ir.png", None, "_ir"),
        ("ir", None, "ir"),
        ("thermal/x.png", None, "thermal/x"),
    ],
)
def test_a_folder_or_the_end_of_the_name(path: str, modality: str | None, rest: str) -> None:
    assert split_modality(path) == (modality, rest)


def test_a_folder_comes_before_the_name_and_others_can_be_known() -> None:
    assert split_modality("rgb/x_ir.png") == ("rgb", "x_ir")
    assert split_modality("thermal/x.png", ("thermal",)) == ("thermal", "x")
    assert split_modality("rgb/x.png", ("thermal",)) == (None, "rgb/x")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\n" + "b" * 40_000, ":2: a line of more than 32,768 characters"),
        ("a\n" + "1" * 2000, ":2: a number of more than 1000 digits"),
        ("a\0b", ": a NUL at character 1: not a text file, or a damaged one"),
    ],
    ids=["line", "digits", "NUL"],
)
def test_lists_of_strangers_are_read_within_limits(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError) as caught:
        read_lines(tmp_path / "list.txt")
    assert str(caught.value) == f"{tmp_path / 'list.txt'}{problem}"
