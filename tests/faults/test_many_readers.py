"""Small shared memory, a dead reading process and a full disk, with two processes and with eight readers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from faults.processes import list_children, start_peers
from fixtures.recipes import plain_recipe, write_faces

from fas_core.models.checkpoint import load_state

pytestmark = pytest.mark.long

SETUPS = pytest.mark.parametrize(("processes", "workers"), [(1, 8), (2, 1), (2, 4)])
WAIT = 240
SMALL_MEMORY = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=256k fas /dev/shm && exec "$@"', "sh")
"""A program that runs another one with 256 kB of shared memory, less than four batches."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many")
    for split, count in (("train", 40), ("dev", 4), ("test", 4)):
        write_faces(path / "faces", split, "live", count, 160)
        write_faces(path / "faces", split, "attack/print", count, 90)
    (path / "recipe.yaml").write_text(yaml.safe_dump(plain_recipe(path / "faces", lr=0.005)))
    return path


def list_options(workers: int, epochs: int) -> list[str]:
    return ["recipe.yaml", "--workers", str(workers), "--epochs", str(epochs), "--device", "cpu"]


@SETUPS
def test_small_shared_memory_costs_time_alone(folder: Path, processes: int, workers: int) -> None:
    if subprocess.run([*SMALL_MEMORY, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    options = [*list_options(workers, 1), "--name", f"memory-{processes}-{workers}"]
    with start_peers(processes, folder, *options, before=SMALL_MEMORY) as peers:
        outputs = [peer.communicate(timeout=WAIT)[0] for peer in peers]
    assert [peer.returncode for peer in peers] == [0] * processes, outputs
    assert not any("Traceback" in output for output in outputs), outputs


@SETUPS
def test_a_dead_reading_process_ends_the_training_with_its_state(
    folder: Path, processes: int, workers: int
) -> None:
    run = folder / "runs" / f"dead-{processes}-{workers}"
    with start_peers(processes, folder, *list_options(workers, 500), "--name", run.name) as peers:
        kill_a_reader(peers[-1].pid, run / "state.pt")
        outputs = [peer.communicate(timeout=WAIT)[0] for peer in peers]
    assert [peer.returncode for peer in peers] == [2] * processes, outputs
    assert "ended early (signal: Killed), most likely because memory ran out" in outputs[-1]
    assert all("error: another of the 2 processes ended" in output for output in outputs[:-1]), outputs
    assert not any("Traceback" in output for output in outputs), outputs
    assert load_state(run / "state.pt")["position"]["epoch"] < 500
    epochs = load_state(run / "state.pt")["position"]["epoch"] + 1
    with start_peers(1, folder, "--resume", f"runs/{run.name}", "--epochs", str(epochs)) as peers:
        output, _ = peers[0].communicate(timeout=WAIT)
    assert peers[0].returncode == 0, output


def kill_a_reader(parent: int, state: Path) -> None:
    """Kill one of the processes that read images, once the first epoch has begun."""
    deadline = time.monotonic() + WAIT
    while not (state.is_file() and (readers := list_children(parent))):
        assert time.monotonic() < deadline, "no image was read"
        time.sleep(0.05)
    os.kill(readers[0], signal.SIGKILL)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that has room for the start of a run, and no more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "fas", disk]
    if (mounted := subprocess.run(command, check=False, capture_output=True)).returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


@SETUPS
def test_a_full_disk_ends_all_with_a_line(
    folder: Path, small_disk: Path, processes: int, workers: int
) -> None:
    options = [*list_options(workers, 500), "--runs", str(small_disk), "--name", "full"]
    with start_peers(processes, folder, *options) as peers:
        outputs = [peer.communicate(timeout=WAIT)[0] for peer in peers]
    assert [peer.returncode for peer in peers] == [2] * processes, outputs
    errors = [line for line in outputs[0].splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, outputs
    assert errors[0].endswith("cannot be written: No space left on device")
    assert all("error: another of the 2 processes ended" in output for output in outputs[1:]), outputs
    assert not any("Traceback" in output for output in outputs), outputs
