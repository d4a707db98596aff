"""Several processes of one command: how they start together, and whether all of them have ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
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


def wait_for_end(list_processes: Callable[[], list[int]]) -> None:
    """Wait until all of the processes have ended; kill them and fail if they do not."""
    deadline = time.monotonic() + WAIT
    while processes := list_processes():
        if time.monotonic() > deadline:
            for process in processes:
                os.kill(process, signal.SIGKILL)
            raise AssertionError(f"processes {processes} did not end in {WAIT} s")
        time.sleep(0.01)
