"""A training whose processes are all killed at a random moment continues to equal bytes.

`test_kills.py` kills one process at each of its writes. Here, those that read images and a second one that
trains are killed too, also between writes: in a step, while they start, while they wait for each other.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count as count_from
from pathlib import Path

import pytest
import yaml
from faults.counts import count
from faults.injection import KillOfAll, list_kills, run
from faults.processes import launch, wait_for_end
from faults.trainings import Ended, Training, check_end, resume_late, train
from fixtures.runs import RECIPE

from fas_core.registry import registry
from fas_core.runs.run import Run

MANY = 50
"""Kills of a long test."""

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
MARK = "FAS_TEST_TRIAL"
"""Environment variable that names the trial a process belongs to."""


@pytest.fixture(scope="module")
def recipe(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "two.yaml"
    tree = RECIPE | {
        "data": {"name": "folder", "root": str(faces)},
        "model": RECIPE["model"] | {"input_size": 32},
        "train": RECIPE["train"] | {"epochs": 2, "workers": 2, "checkpoint_minutes": 1e-9},
    }  # the state is saved after every step
    file.write_text(yaml.safe_dump(tree))
    return file


@pytest.fixture(scope="module")
def alone(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training.measure(recipe, 1, tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module")
def together(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training.measure(recipe, 2, tmp_path_factory.mktemp("together"))


@contextmanager
def short_folder() -> Iterator[Path]:
    """Yield a folder for temporary files, whose path leaves room for names of sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def check_random_kills(training: Training, runs: Path, seed: int) -> int:
    """Kill a training, kill what continues it, and let the next one end; return how many had not ended."""
    rng, codes = random.Random(seed), []
    with short_folder() as temporaries:
        for share in (rng.random(), rng.random(), None):
            kill = None if share is None else KillOfAll(share * training.seconds)
            code, _ = run(
                train(training.recipe, runs),
                runs,
                kill,
                processes=training.processes,
                temporaries=temporaries,
            )
            assert code in (0, -signal.SIGKILL), (seed, runs.with_name("output.txt").read_text())
            codes.append(code)
        assert codes[-1] == 0
        check_end(training, runs / "two", temporaries, seed)
    return codes.count(-signal.SIGKILL)


def check_many(training: Training, runs: Path) -> None:
    kills, seeds = 0, count_from(100)
    while kills < MANY:
        kills += check_random_kills(training, runs, next(seeds))


def test_random_kills_of_one_process(alone: Training, tmp_path: Path) -> None:
    check_random_kills(alone, tmp_path / "runs", seed=1)


def test_a_process_that_is_late_opens_a_run_without_state(recipe_file: Path, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    shutil.copy(recipe_file, tmp_path / "two" / "recipe.yaml")
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=launch, args=(resume_late, tmp_path / "two"), kwargs={"count": 2})
    process.start()
    process.join()
    assert process.exitcode == 0
    assert Run.open(tmp_path / "two", registry()).is_finished()


@pytest.mark.long
def test_many_random_kills_of_one_process(alone: Training, tmp_path: Path) -> None:
    check_many(alone, tmp_path / "runs")


@pytest.mark.long
def test_many_random_kills_of_two_processes(together: Training, tmp_path: Path) -> None:
    check_many(together, tmp_path / "runs")


@pytest.mark.long
@pytest.mark.parametrize("first", range(24))
def test_a_kill_of_the_main_process_at_a_change(together: Training, tmp_path: Path, first: int) -> None:
    """It ends the other process."""
    runs = tmp_path / "runs"
    for kill in list_kills(together.changes, ("before", "half-way"))[first::24]:
        with short_folder() as temporaries:
            for expected in (1, 0):
                code, _ = run(
                    train(together.recipe, runs),
                    runs,
                    kill if expected else None,
                    processes=2,
                    temporaries=temporaries,
                )
                assert code == expected, (kill, runs.with_name("output.txt").read_text())
            check_end(together, runs / "two", temporaries, kill)


def start_torchrun(training: list[object], temporaries: Path, output: Path) -> subprocess.Popen[bytes]:
    mark = {MARK: str(temporaries), "TMPDIR": str(temporaries)}
    with output.open("wb") as file:
        return subprocess.Popen(
            [*TORCHRUN, "-m", "fas_core", *map(str, training)],
            env={**os.environ, "OMP_NUM_THREADS": "1", **mark},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def list_marked(temporaries: Path) -> list[int]:
    """Return the processes of a trial: those that `torchrun` starts have process groups of their own."""
    mark, processes = f"{MARK}={temporaries}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):  # ended, or of another user
            if mark in path.read_bytes().split(b"\0"):
                processes.append(int(path.parent.name))
    return sorted(processes)


def kill_marked(temporaries: Path) -> None:
    """Kill `torchrun` before those that it has started, until there is none."""
    while processes := list_marked(temporaries):
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


@pytest.fixture(scope="module")
def by_torchrun(recipe: Path, together: Training, tmp_path_factory: pytest.TempPathFactory) -> Training:
    folder = tmp_path_factory.mktemp("torchrun")
    start = time.monotonic()
    with start_torchrun(train(recipe, folder / "runs"), folder, folder / "output.txt") as process:
        assert process.wait() == 0, (folder / "output.txt").read_text()
    ended = Ended.read(folder / "runs" / "two")
    assert ended.digests == together.ended.digests
    return Training(recipe, 2, time.monotonic() - start, [], ended)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6))
def test_random_kills_of_torchrun(by_torchrun: Training, tmp_path: Path, seed: int) -> None:
    """Nothing is forked that has imported PyTorch: a kill may also come while a process imports it."""
    runs, output = tmp_path / "runs", tmp_path / "output.txt"
    with short_folder() as temporaries:
        with start_torchrun(train(by_torchrun.recipe, runs), temporaries, output) as process:
            time.sleep(random.Random(seed).random() * by_torchrun.seconds)
            if process.poll() is None:
                count("random kills")
            kill_marked(temporaries)
        with start_torchrun(train(by_torchrun.recipe, runs), temporaries, output) as process:
            assert process.wait() == 0, output.read_text()
        wait_for_end(partial(list_marked, temporaries))
        check_end(by_torchrun, runs / "two", temporaries, seed)
