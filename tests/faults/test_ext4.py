"""A power loss on a real ext4: all that a command has finished is whole when the disk is mounted again.

A small file system in a file is shut down without a flush of its journal or its pages, as a power loss does,
and mounted again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from attrs import define
from click.testing import Result
from faults.counts import count

from fas_core.digests import hash_file
from fas_core.registry import registry
from fas_core.runs.owner import is_owned
from fas_core.runs.run import Run

Fas = Callable[..., Result]
SHUTDOWN, WITHOUT_LOG = 0x8004587D, 2
"""The ioctl EXT4_IOC_SHUTDOWN, and its flag by which neither journal nor pages reach the disk any more."""
SYSTEM_BYTES = 64 << 20


@define
class Disk:
    """An ext4 in a file, mounted at `path`."""

    image: Path
    path: Path

    def mount(self) -> None:
        run_privileged("mount", "-o", "loop", self.image, self.path)

    def lose_power(self) -> None:
        """Lose what was not synced, and mount the file system again."""
        count("power losses")
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        finally:
            os.close(descriptor)
        run_privileged("umount", self.path)
        self.mount()


def run_privileged(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no ext4 can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() or shutil.which("mkfs.ext4") is None:
        pytest.skip("no ext4 can be mounted here: needs root and mkfs.ext4")
    disk = Disk(tmp_path / "image", tmp_path / "disk")
    disk.path.mkdir()
    with disk.image.open("wb") as file:
        file.truncate(SYSTEM_BYTES)
    run_privileged("mkfs.ext4", "-q", "-F", disk.image)
    disk.mount()
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk.path], check=True)


def hash_run_files(runs: Path) -> dict[Path, str]:
    """Return the digests of all files but `owner.json`: a loss brings it back, without its lock."""
    return {path: hash_file(path) for path in runs.rglob("*") if path.is_file() and path.name != "owner.json"}


@pytest.mark.long
def test_what_is_not_synced_is_lost(disk: Disk) -> None:
    """Else the other tests would prove nothing."""
    (disk.path / "a").write_text("text")
    disk.lose_power()
    assert not (disk.path / "a").exists() or (disk.path / "a").read_text() == ""


@pytest.mark.long
def test_finished_runs(disk: Disk, recipe_file: Path, fas: Fas) -> None:
    """Power is lost at once after each training; every file has the bytes that it had."""
    digests: dict[Path, str] = {}
    for number in range(8):
        runs = disk.path / "runs"
        result = fas("train", recipe_file, "--runs", runs, "--name", f"run{number}", "--epochs", 1, "-q")
        assert result.exit_code == 0, result.output
        digests |= hash_run_files(runs / f"run{number}")
        disk.lose_power()
        assert hash_run_files(runs) == digests
        assert not is_owned(runs / f"run{number}")


@pytest.mark.long
def test_interrupted_runs(disk: Disk, recipe_file: Path, fas: Fas) -> None:
    """Power is lost at some moment of a training; the run is whole, and continues or starts anew."""
    for number in range(8):
        path = disk.path / "runs" / f"run{number}"
        arguments = ["train", str(recipe_file), "--runs", str(path.parent), "--name", path.name]
        process = subprocess.Popen(
            [sys.executable, "-m", "fas_core", *arguments, "--epochs", "200", "-q"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not (path / "scores" / "dev.csv").exists() and process.poll() is None:
                time.sleep(0.01)
            time.sleep(0.07 * number)
            descriptor = os.open(disk.path, os.O_RDONLY)
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
            os.close(descriptor)
        finally:
            process.kill()
            process.wait()
        count("power losses")
        run_privileged("umount", disk.path)
        disk.mount()
        epochs = len(Run.open(path, registry()).metrics())
        result = fas("train", "--resume", path, "--epochs", epochs + 2, "-q")
        assert result.exit_code == 0, result.output
        assert fas("eval", path, "--split", "test", "--replicates", 0).exit_code == 0
        shutil.rmtree(path)


@pytest.mark.long
def test_crops(disk: Disk, tmp_path: Path, fas: Fas) -> None:
    """Crops are synced together when the command ends: a power loss after it loses none of them."""
    rng, photos, crops = np.random.default_rng(1), tmp_path / "photos", disk.path / "crops"
    photos.mkdir()
    for number in range(30):
        cv2.imwrite(str(photos / f"{number}.png"), rng.integers(0, 256, (48, 48, 3), np.uint8))
    lines = ["id,path,label,box", *(f"{n},{n}.png,live,8 8 24 24" for n in range(30))]
    manifest = photos / "manifest.csv"
    for listed in (10, 20, 30):
        manifest.write_text("\n".join(lines[: listed + 1]) + "\n")
        result = fas("data", "crop", manifest, crops, "-j", 1)
        assert result.exit_code == 0, result.output
        disk.lose_power()
        assert len(list(crops.rglob("*.png"))) == listed
        assert fas("data", "check", crops / "manifest.csv").exit_code in (0, 1)
        assert f"{listed} image files read" in fas("data", "check", crops / "manifest.csv").output
