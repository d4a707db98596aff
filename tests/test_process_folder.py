"""The folder for sockets between processes does not outlive the processes that use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
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


def test_the_folder_is_removed_at_the_end(tmp_path: Path) -> None:
    assert run("", tmp_path).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    folder = run(KILL, tmp_path)
    assert list(tmp_path.iterdir()) == [folder]
    run("", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_stays_while_a_child_lives(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        folder = run(FORK + KILL, tmp_path, stdin=reading)
        run("", tmp_path)
        assert list(tmp_path.iterdir()) == [folder]
    finally:
        os.close(writing)
        os.close(reading)


def test_the_folder_of_a_killed_training_is_removed_by_the_next(faces: Path, tmp_path: Path) -> None:
    temporary, recipe = tmp_path / "tmp", tmp_path / "a.yaml"
    temporary.mkdir()
    train = RECIPE["train"] | {"workers": 1, "epochs": 50}
    recipe.write_text(
        yaml.safe_dump({**RECIPE, "train": train, "data": {"name": "folder", "root": str(faces)}})
    )
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "fas_core", "train", str(recipe), "--runs", str(tmp_path)]
    options = {"env": environment, "stdout": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload]
        while process.poll() is None and not (tmp_path / "a" / "last.safetensors").exists():
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert len(list(temporary.glob(".fas-*.part"))) == 1
    run("", temporary)
    assert [*temporary.glob(".fas-*"), *temporary.glob("pymp-*")] == []
