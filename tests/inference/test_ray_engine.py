"""`--engine ray` with two workers on a cluster of this machine, as a user starts it.

A start of Ray takes 10 to 30 seconds of two cores and its packages 330 MB, so that `tox -e long` runs these.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet
import pytest
from attrs import frozen

from fas_core.scores.table import ScoreTable

pytestmark = pytest.mark.long

PHOTOS = 1600
FLAGS = ("--engine", "ray", "--predictors", "2", "--part-rows", "32")


@frozen
class Job:
    """A folder with a model, photos and their manifest, and the processes that work on it."""

    folder: Path

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "fas_core", *map(str, arguments)]
        environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *arguments: object, expected: int = 0) -> str:
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=300)
        assert process.returncode == expected, errors
        return output

    def wait_for_parts(self, name: str, count: int) -> list[Path]:
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline:
            if len(finished := sorted(self.folder.glob(f"{name}/*.parquet"))) >= count:
                return finished
            time.sleep(0.02)
        raise AssertionError("no parts")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, write_mean_model: Callable[..., Path]) -> Job:
    folder = tmp_path_factory.mktemp("ray")
    write_mean_model(folder)
    rng = np.random.default_rng(14)
    (folder / "photos").mkdir()
    rows = [["path", "label", "box"]]
    for number in range(PHOTOS):
        name = f"photos/{number:04}.png"
        cv2.imwrite(str(folder / name), rng.integers(0, 256, (8, 8, 3), np.uint8))
        rows.append([name, str(number % 2), "0 0 8 8"])
    for name in ("manifest", "urls"):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    urls = folder / "urls.csv"
    urls.write_text(urls.read_text().replace("photos/", f"file://{folder}/photos/"))
    return Job(folder)


def children(pid: int) -> dict[int, str]:
    """Return the command lines of all processes below one."""
    parents, names = {}, {}
    for entry in Path("/proc").iterdir():
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except (ValueError, OSError):  # no process, or one that has ended
            continue
    below = {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return {child: names[child] for child in below - {pid} if child in names}


def listening_addresses(pids: set[int]) -> set[str]:
    """Return the addresses, in the kernel's hexadecimal digits, on which processes listen."""
    inodes = set()
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(str(file.readlink()).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                continue
    texts = [Path(f"/proc/net/{kind}").read_text() for kind in ("tcp", "tcp6")]
    lines = [line.split() for text in texts for line in text.splitlines()]
    return {line[1].partition(":")[0] for line in lines if line[3] == "0A" and line[9] in inodes}


def read(folder: Path) -> list[dict[str, Any]]:
    return list(pyarrow.parquet.read_table(folder).to_pylist())


@pytest.mark.skipif(sys.platform != "linux", reason="processes and sockets are read from /proc")
def test_a_killed_worker_and_a_stopped_command_lose_no_part_and_repeat_none(job: Job) -> None:
    """One long job: its worker is killed, it listens on loopback alone, it is interrupted and goes on."""
    predict = ("predict", "model.onnx", "manifest.csv", *FLAGS, "--into", "verdicts", "--json")
    process = job.start(*predict)
    job.wait_for_parts("verdicts", 2)
    processes = children(process.pid)
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    addresses = listening_addresses(set(processes))
    assert addresses
    assert addresses <= loopback
    workers = [pid for pid, name in processes.items() if "MapWorker" in name]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    job.wait_for_parts("verdicts", 6)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=100)
    assert (process.returncode, output) == (130, "")
    kept = {path: path.stat().st_mtime_ns for path in job.wait_for_parts("verdicts", 6)}
    assert f'"kept": {len(kept)}' in job.run(*predict)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    job.run("predict", "model.onnx", "manifest.csv", "--csv", "alone.csv", "--quiet")
    with (job.folder / "alone.csv").open(newline="") as file:
        alone = list(csv.DictReader(file))
    rows = read(job.folder / "verdicts")
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert texts == alone
    assert len(rows) == PHOTOS


def test_the_scores_of_two_workers_are_those_of_one_process(job: Job) -> None:
    evaluate = ("eval", "model.onnx", "--replicates", "0", "--json")
    flags = ("--engine", "ray", "--predictors", "2", "--part-rows", "1024", "--into", "scores")
    shared = job.run(*evaluate, "--data", "urls.csv", "--scores", "ray.csv", *flags)
    alone = job.run(*evaluate, "--data", "manifest.csv", "--scores", "alone-scores.csv")
    first, second = (ScoreTable.read(job.folder / name).table for name in ("ray.csv", "alone-scores.csv"))
    assert first.drop_columns(["id"]).equals(second.drop_columns(["id"]))
    assert shared.replace("ray.csv", "alone-scores.csv") == alone


def test_a_mistake_of_a_worker_is_one_line(job: Job) -> None:
    (job.folder / "missing.csv").write_text("path\nphotos/none.png\n")
    process = job.start("eval", "model.onnx", "--data", "missing.csv", *FLAGS, "--into", "failed")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "error: photos/none.png: no such image" in errors
    assert "Traceback" not in errors


@pytest.mark.skipif(sys.platform != "linux", reason="processes are read from /proc")
def test_crops_of_two_workers_of_which_one_is_killed_are_those_of_one_process(job: Job) -> None:
    flags = ("--size", "16", "--engine", "ray", "-j", "2", "--part-rows", "32")
    process = job.start("data", "crop", "urls.csv", "shared", *flags, "--json")
    job.wait_for_parts("shared/.crops/*", 2)
    workers = [pid for pid, name in children(process.pid).items() if "MapWorker" in name]
    os.kill(workers[0], signal.SIGKILL)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert f'"crops": {PHOTOS}' in output
    job.run("data", "crop", "urls.csv", "single", "--size", "16")
    shared, single = (
        {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (job.folder / "shared", job.folder / "single")
    )
    assert shared == single
    assert len(single) == PHOTOS + 4
