"""A failure while writing leaves what was there before, and nothing else."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fas_core import FasError
from fas_core.atomic import replacing, replacing_all, temporary_folder, write_text


def left(folder: Path) -> list[str]:
    """Every file and folder below, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "model.onnx"
    with replacing(path) as temporary:
        temporary.write_text("first half, ")
        assert not path.exists()
        assert temporary.parent.parent == path.parent  # on the same disk, so that it can be renamed
        assert temporary.name == path.name
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


def test_a_name_as_long_as_the_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    with replacing(path) as temporary:
        temporary.write_text("x")
    assert left(tmp_path) == [path.name]


def start_writing(path: Path) -> subprocess.Popen[str]:
    """Start a process that has written half a file when this returns, and does not end."""
    code = (
        "import sys, time; from pathlib import Path; from fas_core.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); print('written', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


def write_in_a_new_process(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from fas_core.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n    temporary.write_text('new')"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def test_the_next_process_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    with start_writing(tmp_path / "a.csv") as process:
        process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    assert len(left(tmp_path)) == 2  # the hidden folder and half a file
    write_in_a_new_process(tmp_path / "b.csv")
    assert left(tmp_path) == ["b.csv"]


def test_what_a_running_process_writes_stays(tmp_path: Path) -> None:
    with start_writing(tmp_path / "a.csv") as process:
        write_in_a_new_process(tmp_path / "b.csv")
        assert len(left(tmp_path)) == 3
        process.terminate()


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".fas-abc.part").symlink_to(outside)
    write_in_a_new_process(tmp_path / "run" / "b.csv")
    assert (outside / "precious").read_text() == "x"


@pytest.fixture
def operations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The order of what is synced and renamed, by names."""
    log: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def log_fsync(descriptor: int) -> None:
        log.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        fsync(descriptor)

    def log_replace(self: Path, target: Path) -> Path:
        log.append(f"rename {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", log_fsync)
    monkeypatch.setattr(Path, "replace", log_replace)
    return log


linux = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="names of descriptors are read from /proc"
)


@linux
def test_files_are_synced_before_they_are_renamed_and_the_folder_afterwards(
    tmp_path: Path, operations: list[str]
) -> None:
    def write(path: Path) -> None:
        path.write_text("x")

    def write_folder(path: Path) -> None:
        path.mkdir()
        (path / "1.png").write_bytes(b"x")

    def run(name: str, block: Callable[[Path], None], durable: bool = True) -> list[str]:
        operations.clear()
        with replacing(tmp_path / name, durable) as temporary:
            block(temporary)
        return operations.copy()

    assert run("a.csv", write) == ["sync a.csv", "rename a.csv", f"sync {tmp_path.name}"]
    assert run("data", write_folder) == ["sync 1.png", "sync data", "rename data", f"sync {tmp_path.name}"]
    assert run("new/a.csv", write) == [f"sync {tmp_path.name}", "sync a.csv", "rename a.csv", "sync new"]
    assert run("b.csv", write, durable=False) == ["rename b.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_device_takes_the_bytes_and_stays() -> None:
    with replacing(Path("/dev/null")) as temporary:
        temporary.write_text("x")
    with pytest.raises(FasError, match="/dev/full: cannot be written: No space left on device"):  # noqa: SIM117
        with replacing(Path("/dev/full")) as temporary:
            temporary.write_text("x")
    assert Path("/dev/full").is_char_device()
    assert Path("/dev/null").is_char_device()


def test_a_temporary_folder_is_removed(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as folder:
        (folder / "photo.jpg").write_bytes(b"a face")
        assert folder.stat().st_mode & 0o077 == 0
    assert left(tmp_path) == []


def test_the_temporary_folder_of_a_killed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from fas_core.atomic import temporary_folder\n"
        "with temporary_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'photo.jpg').write_bytes(b'a face'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(left(tmp_path)) == 2
    with temporary_folder(tmp_path) as folder:
        assert left(tmp_path) == [folder.name]


def test_a_temporary_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FasError, match="file: cannot be written"), temporary_folder(tmp_path / "file"):
        pass


def test_a_pipe_takes_the_bytes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FasError, match="pipe: cannot be written"):  # nobody reads it
        write_text(tmp_path / "pipe", "x")
    text = "line\n" * 100_000
    with (
        (tmp_path / "copy").open("w") as copy,
        subprocess.Popen(["cat", tmp_path / "pipe"], stdout=copy) as reader,
    ):
        while True:
            try:
                write_text(tmp_path / "pipe", text)
                break
            except FasError:
                assert reader.poll() is None
        reader.wait(20)
    assert (tmp_path / "copy").read_text() == text
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_to_a_device_or_pipe_is_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for number, target in enumerate((os.devnull, tmp_path / "pipe")):
        path = tmp_path / f"results-{number}.json"
        path.symlink_to(target)
        write_text(path, "{}")
        assert not path.is_symlink()
        assert path.read_text() == "{}"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc")
def test_an_open_file_is_appended_to(tmp_path: Path) -> None:
    """As /dev/stdout after `> out.csv`: the link in /dev is not replaced."""
    with (tmp_path / "out.csv").open("w") as file:
        file.write("printed before\n")
        file.flush()
        link = Path(f"/proc/self/fd/{file.fileno()}")
        write_text(link, "id,score\n")
        assert link.is_symlink()
    assert (tmp_path / "out.csv").read_text() == "printed before\nid,score\n"
