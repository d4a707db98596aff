"""A failure while writing leaves what was there before, and nothing else."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from fas_core import FasError
from fas_core.atomic import replacing, replacing_all


def left(folder: Path) -> list[str]:
    """Every file and folder below, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "model.onnx"
    with replacing(path) as temporary:
        temporary.write_text("first half, ")
        assert not path.exists()
        assert temporary.parent == path.parent
        assert temporary.suffix == ".onnx"
        with temporary.open("a") as file:
            file.write("second half")
    assert path.read_text() == "first half, second half"
    assert left(tmp_path) == ["a", "a/b", "a/b/model.onnx"]


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("old")
    with replacing(tmp_path / "x.csv") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "x.csv").read_text() == "old"
    assert (tmp_path / "x.csv").read_text() == "new"
    assert left(tmp_path) == ["x.csv"]


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with replacing(tmp_path / "data") as temporary:
        temporary.mkdir()
        (temporary / "1.png").write_bytes(b"")
        assert not (tmp_path / "data").exists()
    assert left(tmp_path) == ["data", "data/1.png"]


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt(), FasError("a mistake")])
def test_a_failure_inside_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "x.csv").write_text("old")

    def fail() -> None:
        with replacing(tmp_path / "x.csv") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert (tmp_path / "x.csv").read_text() == "old"
    assert left(tmp_path) == ["x.csv"]


def test_a_failure_inside_leaves_no_folder(tmp_path: Path) -> None:
    def fail() -> None:
        with replacing(tmp_path / "data") as temporary:
            (temporary / "deep").mkdir(parents=True)
            (temporary / "deep" / "1.png").write_bytes(b"")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert left(tmp_path) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scores.csv"

    class Full(io.FileIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write() -> None:
        with replacing(path) as temporary:
            temporary.touch()
            with Full(temporary, "w") as file:
                file.write(b"half")

    with pytest.raises(FasError) as caught:
        write()
    assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("step", "code"), [("mkdir", errno.EROFS), ("mkdir", errno.EACCES), ("replace", errno.EROFS)]
)
def test_a_read_only_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    path = tmp_path / "runs" / "recipe.yaml"
    path.parent.mkdir()

    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, step, refuse)
    with pytest.raises(FasError) as caught, replacing(path) as temporary:
        temporary.write_text("x")
    assert str(caught.value) == f"{path}: cannot be written: {os.strerror(code)}"
    assert left(tmp_path) == ["runs"]


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(FasError, match=r"file/x\.csv: cannot be written: "),
        replacing(tmp_path / "file" / "x.csv"),
    ):
        pytest.fail("the block must not run")
    assert left(tmp_path) == ["file"]


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "x.csv").mkdir()
    with (
        pytest.raises(FasError, match="cannot be written: Is a directory"),
        replacing(tmp_path / "x.csv") as temporary,
    ):
        temporary.write_text("x")
    assert left(tmp_path) == ["x.csv"]


def test_an_error_about_something_else_stays_what_it_is(tmp_path: Path) -> None:
    def read_another() -> None:
        with replacing(tmp_path / "x.csv") as temporary:
            temporary.write_text((tmp_path / "absent").read_text())

    with pytest.raises(FileNotFoundError):
        read_another()
    assert left(tmp_path) == []


def test_files_that_belong_together(tmp_path: Path) -> None:
    paths = tmp_path / "a" / "model.xml", tmp_path / "a" / "model.bin"
    with replacing_all(*paths) as (xml, weights):
        assert (xml.name, weights.name) == ("model.xml", "model.bin")
        assert xml.parent == weights.parent
        for number, temporary in enumerate((xml, weights)):
            temporary.write_text(str(number))
        assert not any(path.exists() for path in paths)
    assert [path.read_text() for path in paths] == ["0", "1"]
    assert left(tmp_path / "a") == ["model.bin", "model.xml"]


def test_a_failure_leaves_none_of_them(tmp_path: Path) -> None:
    paths = tmp_path / "model.xml", tmp_path / "model.bin"
    paths[0].write_text("old")
    with pytest.raises(ValueError, match="no"), replacing_all(*paths) as (xml, _):  # noqa: PT012
        xml.write_text("new")
        raise ValueError("no")
    assert left(tmp_path) == ["model.xml"]
    assert paths[0].read_text() == "old"


def test_files_that_belong_together_in_a_place_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FasError, match="cannot be written"), replacing_all(tmp_path / "file" / "m.xml"):
        pass
