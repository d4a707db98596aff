"""Several processes of one command: how they start together, and whether all of them have ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT = 60
"""Seconds in which processes end that are left alone by the one that they belong to."""


def launch(function: Callable[..., object], *arguments: object, count: int) -> None:
    """Call a function in several processes, by the agent of `torchrun`; end this process with 1 if one fails.

    The processes are forked, so that none of them has to import PyTorch.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id="fas",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        start_method="fork",
    )
    try:
        elastic_launch(config, _call)(function, *arguments)
    except ChildFailedError as error:
        raise SystemExit(1) from error


def _call(function: Callable[..., object], *arguments: object) -> None:
    """Call a function where signals do what they do in a new process, not what the agent does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    function(*arguments)


def peer_environment(**values: str) -> dict[str, str]:
    """Return the environment of a process that trains with others on a few cores."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR", **values}


@contextmanager
def start_peers(
    count: int, folder: Path, *arguments: str, before: tuple[str, ...] = ()
) -> Iterator[list[subprocess.Popen[str]]]:
    """Start `fas train` in several processes, without a program that ends all of them when one ends.

    Args:
        folder: the current folder.
        arguments: of `fas train`.
        before: a program with its arguments that runs each of the commands.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    size = str(count)
    common = {"WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [*before, sys.executable, "-m", "fas_core", "train", *arguments],
            cwd=folder,
            env=peer_environment(RANK=str(rank), LOCAL_RANK=str(rank), **common),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def list_members(group: int) -> list[int]:
    """Return the processes of a process group that have not ended."""
    members = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        if int(process_group) == group and state not in "ZX":
            members.append(int(path.parent.name))
    return members


def list_children(parent: int) -> list[int]:
    """Return the processes that a process has started and that have not been waited for."""
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def wait_for_end(list_processes: Callable[[], list[int]]) -> None:
    """Wait until all of the processes have ended; kill them and fail if they do not."""
    deadline = time.monotonic() + WAIT
    while processes := list_processes():
        if time.monotonic() > deadline:
            for process in processes:
                os.kill(process, signal.SIGKILL)
            raise AssertionError(f"processes {processes} did not end in {WAIT} s")
        time.sleep(0.01)
