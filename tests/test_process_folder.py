"""The folder for sockets between processes does not outlive the processes that use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fixtures.runs import RECIPE

if sys.platform == "win32":
    pytest.skip("Windows has no such sockets", allow_module_level=True)

USE = """
from multiprocessing import util
from fas_core.process_folder import use_locked_folder
use_locked_folder()
use_locked_folder()
print(util.get_temp_dir(), flush=True)
"""
FORK = """
import os
if not os.fork():
    os.close(1)
    os.read(0, 1)
    os._exit(0)
"""
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def run(code: str, folder: Path, **options: object) -> Path:
    """Run code after `USE` in a new process with a folder for temporary files; return the folder printed."""
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", USE + code]
    process = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]
    return Path(process.stdout.strip())


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for names of sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_the_folder_is_removed_at_the_end(short: Path) -> None:
    assert run("", short).parent == short
    assert list(short.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_by_the_next(short: Path) -> None:
    folder = run(KILL, short)
    assert list(short.iterdir()) == [folder]
    run("", short)
    assert list(short.iterdir()) == []


def test_a_path_that_is_too_long_for_sockets_is_not_taken(short: Path) -> None:
    folder = short / ("long" * 20)
    folder.mkdir()
    assert run("", folder).parent == Path("/tmp")


def test_the_folder_stays_while_a_child_lives(short: Path) -> None:
    reading, writing = os.pipe()
    try:
        folder = run(FORK + KILL, short, stdin=reading)
        run("", short)
        assert list(short.iterdir()) == [folder]
    finally:
        os.close(writing)
        os.close(reading)


def test_the_folder_of_a_killed_training_is_removed_by_the_next(
    faces: Path, tmp_path: Path, short: Path
) -> None:
    recipe = tmp_path / "a.yaml"
    train = RECIPE["train"] | {"workers": 1, "epochs": 50}
    recipe.write_text(
        yaml.safe_dump({**RECIPE, "train": train, "data": {"name": "folder", "root": str(faces)}})
    )
    environment = os.environ | {"TMPDIR": str(short), "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "fas_core", "train", str(recipe), "--runs", str(tmp_path)]
    options = {"env": environment, "stdout": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload]
        while process.poll() is None and not (tmp_path / "a" / "last.safetensors").exists():
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert len(list(short.glob(".fas-*.part"))) == 1
    run("", short)
    assert [*short.glob(".fas-*"), *short.glob("pymp-*")] == []
