"""A folder of runs has one owner: other processes are refused, or take the next number."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from fixtures.owners import read_line, start

from fas_core.console import console
from fas_core.errors import FasError
from fas_core.runs import owner
from fas_core.runs.owner import OwnedError, is_owned, owned, owning, owning_numbered

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")


def test_another_process_is_refused_by_host_and_pid_until_the_owner_is_killed(tmp_path: Path) -> None:
    with start("owning", tmp_path / "run") as process:
        assert read_line(process) == "owned"
        with pytest.raises(OwnedError) as caught, owning(tmp_path / "run"):
            pass
        by = f"process {process.pid} on {socket.gethostname()}, since "
        assert str(caught.value).startswith(f"{tmp_path / 'run'}: in use by {by}")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / "run" / "owner.json").is_file()  # left, and locked no more
    with owning(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / "owner.json").read_text())["pid"] == os.getpid()


def test_processes_that_start_together_take_different_numbers(tmp_path: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(start("owning_numbered", tmp_path / "runs" / "a")) for _ in range(3)]
        folders = {read_line(process) for process in processes}
        assert folders == {str(tmp_path / "runs" / name) for name in ("a", "a-2", "a-3")}


def test_the_next_number_follows_folders_with_runs(tmp_path: Path) -> None:
    for name in ("a", "a-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.yaml").touch()
    (tmp_path / "a-3").mkdir()  # of a training that was killed before it wrote anything
    with owning_numbered(tmp_path / "a") as folder:
        assert folder == tmp_path / "a-3"


def test_nothing_is_left_of_a_folder_that_nothing_was_put_into(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mistake"), owning(tmp_path / "runs" / "a"):
        raise ValueError("mistake")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with owning(tmp_path / "runs" / "a"):
        pass
    with owning(tmp_path / "runs"):
        (tmp_path / "runs" / "file").touch()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["file"]


def test_a_folder_is_owned_while_its_owner_lives(tmp_path: Path) -> None:
    assert not is_owned(tmp_path / "run")
    with start("owning", tmp_path / "run") as process:
        assert read_line(process) == "owned"
        assert is_owned(tmp_path / "run")
        process.kill()
        process.wait()
    assert not is_owned(tmp_path / "run")


def test_asking_who_owns_does_not_end_the_lock(tmp_path: Path) -> None:
    with owning(tmp_path):
        assert is_owned(tmp_path)
        with start("owning", tmp_path) as process:
            assert read_line(process) == ""
            assert process.wait() != 0


def test_an_owner_may_own_again(tmp_path: Path) -> None:
    @owned
    def write(folder: Path, text: str) -> str:
        return (folder / "owner.json").read_text() and text

    with owning(tmp_path):
        assert write(tmp_path, "text") == "text"
        assert (tmp_path / "owner.json").is_file()
    assert not (tmp_path / "owner.json").exists()


def test_only_the_main_process_of_a_training_owns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    with owning(tmp_path):
        assert not (tmp_path / "owner.json").exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(FasError, match=r"file/run: cannot be written: Not a directory"),
        owning(tmp_path / "file" / "run"),
    ):
        pass


def test_a_file_system_without_locks_is_warned_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console.reset()
    monkeypatch.setattr(owner.fcntl, "lockf", _refuse)
    with owning(tmp_path):
        pass
    text = " ".join(capsys.readouterr().err.split())
    assert "has no locks (No locks available): let no second process train it" in text


def _refuse(*_: object) -> None:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    run = tmp_path / "run"
    run.mkdir()
    (run / "owner.json").symlink_to(tmp_path / "precious")
    assert not is_owned(run)
    with (
        pytest.raises(FasError, match=r"owner.json: a link, pipe or folder, not a file: remove it"),
        owning(run),
    ):
        pass
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "owner.json")
    assert not is_owned(tmp_path)
    with pytest.raises(FasError, match="a link, pipe or folder, not a file"), owning(tmp_path):
        pass
