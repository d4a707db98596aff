"""Parts on Ray Data: a pool of actors, each a worker with one CPU; Ray does the parts of a dead one again.

The cluster is that of `RAY_ADDRESS`, or one of this machine alone that listens on loopback and ends with the
command.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from fas_core.errors import FasError, require
from fas_core.inference.parts import Part, PartWorker

PART = "part"
"""Column of the number that each row's part has."""
ENVIRONMENT = {
    # 0 keeps a cluster on loopback, as it is on Windows and macOS anyway.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Ray prints what concerns its own processes; what concerns a job is raised.
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    # Else workers give way to any other process, and hardly run on a busy machine.
    "RAY_worker_niceness": "0",
}
"""What Ray reads on import, for a cluster of this machine; values that are set stay."""


class _Actor:
    """A worker in a process of its own. A user's mistake is a row, and anything else is a bug."""

    def __init__(self, worker: PartWorker, folder: str) -> None:
        self._worker, self._folder = worker, folder

    def __call__(self, rows: pa.Table) -> pa.Table:
        number = rows.column(PART)[0].as_py()
        count, problem = 0, ""
        try:
            self._enter_folder()
            count = self._worker((number, rows.drop_columns([PART])))
        except FasError as error:
            problem = str(error)
        return pa.table({"samples": [count], "problem": [problem]})

    def _enter_folder(self) -> None:
        """Go where the command was given, so that relative paths are what they were there."""
        try:
            os.chdir(self._folder)
        except OSError as error:
            host = socket.gethostname()
            raise FasError(f"{self._folder}: not on {host}, which must share it: {error.strerror}") from error


def run_on_ray(worker: PartWorker, parts: Iterable[Part], workers: int | None) -> Iterator[int]:
    """Yield the number of samples of each part, when its file is written.

    Raises:
        FasError: Ray is not installed or cannot be reached, has fewer CPUs than workers, or a worker's
            mistake.
    """
    require("ray", "ray")
    with _cluster(workers) as (ray, size):
        tables = [
            table.append_column(PART, pa.array([number] * len(table), pa.int64())) for number, table in parts
        ]
        results = ray.data.from_arrow(tables).map_batches(
            _Actor,
            fn_constructor_args=(worker, str(Path.cwd())),
            batch_size=None,  # a batch is a block, which is a part
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=min(size, len(tables))),
            num_cpus=1,
        )
        for row in results.iter_rows():
            if row["problem"]:
                raise FasError(row["problem"])
            yield int(row["samples"])


@contextmanager
def _without_usage_server() -> Iterator[None]:
    """Start no server of Ray's dashboard in the block: without the dashboard it would report usage alone.

    Even where that is disabled, it asks the hosts of three clouds whether the machine is theirs.
    """
    from ray._private import services

    start = services.start_api_server
    services.start_api_server = lambda *_, **__: (None, None)
    try:
        yield
    finally:
        services.start_api_server = start


@contextmanager
def _cluster(workers: int | None) -> Iterator[tuple[Any, int]]:
    """Connect to the cluster, or start one; yield Ray and the number of workers."""
    address = os.environ.get("RAY_ADDRESS") or None
    for name, value in ENVIRONMENT.items() if address is None else ():
        os.environ.setdefault(name, value)
    import ray
    import ray.data

    started = {} if address else {"num_cpus": workers, "include_dashboard": False}
    try:
        with _without_usage_server():
            ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", **started)
    except OSError as error:  # a ConnectionError is one; a folder with a name too long for sockets is another
        where = f"RAY_ADDRESS={address}: no cluster of Ray" if address else "Ray cannot be started"
        raise FasError(f"{where}: {' '.join(str(error).split())}") from error
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        cpus = int(ray.cluster_resources().get("CPU", 0))
        if cpus < (workers or 1):
            raise FasError(f"{workers or 1} workers: the cluster of Ray has {cpus} CPUs")
        yield ray, workers or cpus
    finally:
        ray.shutdown()
