"""Worker processes that decode and score, so that a hostile image or model costs one worker, not the service.

A worker is ended after `Limits.scoring_timeout`; the next request gets a new one. On POSIX its memory is
limited (`RLIMIT_AS`, counted from the loaded model) and it writes no core dumps, which would hold photos. A
worker answers in JSON, so that one that was taken over cannot make the service unpickle anything.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any

from fas_core.process_folder import use_locked_folder
from fas_plugins.commands.serve.limits import Limits, RequestError
from fas_plugins.commands.serve.metrics import Metrics
from fas_plugins.commands.serve.scoring import FaceScorer, ModelFacts

START_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""A fork server imports the libraries once, so that a worker starts in a fraction of a second."""

START_TIMEOUT = 60.0
"""Seconds in which a worker must load the model."""

MAX_REPLY = 1 << 20


class Worker:
    """A process that holds the model, and the connection to it. One thread at a time may use it."""

    def __init__(self, build: Callable[[], FaceScorer], max_memory: int) -> None:
        use_locked_folder()
        context: Any = multiprocessing.get_context(START_METHOD)
        if START_METHOD == "forkserver":
            context.set_forkserver_preload([__name__])
        self._connection, remote = context.Pipe()
        arguments = (remote, build, max_memory * 1_000_000)
        self._process = context.Process(target=run_worker, args=arguments, daemon=True)
        self._process.start()
        remote.close()
        self._end_of_start = monotonic() + START_TIMEOUT
        self._ready = False

    def wait_until_ready(self) -> None:
        """Wait until the model is loaded.

        Raises:
            TimeoutError: it takes longer than `START_TIMEOUT`.
            EOFError, OSError: the process ended.
        """
        if not self._ready:
            self._receive(self._end_of_start - monotonic())
            self._ready = True

    def score(self, images: Mapping[str, bytes], detect: bool | None, seconds: float) -> dict[str, Any]:
        """Return the reply of `reply_to`.

        Raises:
            TimeoutError: there is none after `seconds`.
            EOFError, OSError, ValueError: the process ended, or its reply is not JSON.
        """
        self._connection.send((dict(images), detect))
        reply: dict[str, Any] = json.loads(self._receive(seconds))
        return reply

    def is_alive(self) -> bool:
        return bool(self._process.is_alive())

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _receive(self, seconds: float) -> bytes:
        if not self._connection.poll(max(seconds, 0)):
            raise TimeoutError
        return bytes(self._connection.recv_bytes(MAX_REPLY))


class WorkerPool:
    """Up to `Limits.concurrency` workers, started when requests need them. Threads may share it.

    Args:
        build: loads the model; called in each worker.
        facts: what the service tells of the model.
        limits: number, time and memory of workers.
        metrics: counts workers that were ended.
    """

    def __init__(
        self, build: Callable[[], FaceScorer], facts: ModelFacts, limits: Limits, metrics: Metrics
    ) -> None:
        self.facts = facts
        self._build, self._limits, self._metrics = build, limits, metrics
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()
        self._closed = False

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the first worker and wait until it is ready.

        Raises:
            RequestError: it cannot load the model.
        """
        self._idle.append(self._take())

    def is_ready(self) -> bool:
        """Whether a worker lives; if none does, one is started for the next call."""
        with self._lock:
            if any(worker.is_alive() for worker in self._workers):
                return True
            self._workers.clear()
            self._idle.clear()
            with suppress(RequestError):
                self._idle.append(self._start_worker())
        return False

    def score(self, images: Mapping[str, bytes], detect: bool | None) -> dict[str, Any]:
        """Score the images of one face in a worker; raises as `FaceScorer.score` does.

        Raises:
            RequestError: the worker took too long, needed too much memory or ended.
        """
        worker = self._take()
        try:
            reply = worker.score(images, detect, self._limits.scoring_timeout)
        except TimeoutError:
            self._discard(worker, "deadline")
            message = f"decoding and scoring took longer than {self._limits.scoring_timeout:g} s"
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", message) from None
        except (EOFError, OSError, ValueError):
            self._discard(worker, "died")
            message = "the process that scored this request ended: an image may be damaged"
            raise RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, "worker_died", message) from None
        with self._lock:
            self._idle.append(worker)
        if "refusal" in reply:
            status, *details = reply["refusal"]
            raise RequestError(HTTPStatus(status), *details)
        return dict(reply["verdict"])

    def close(self) -> None:
        """End all workers, also those that are at work."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, set()
        for worker in workers:
            worker.kill()

    def _take(self) -> Worker:
        """Return an idle worker, or start one."""
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else self._start_worker()
            if not worker.is_alive():  # e.g. the system was out of memory while it was idle
                self._discard(worker, "died")
                continue
            try:
                worker.wait_until_ready()
            except (TimeoutError, EOFError, OSError):
                self._discard(worker, "start")
                message = "the process that loads the model cannot be started"
                raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "no_worker", message) from None
            return worker

    def _start_worker(self) -> Worker:
        if self._closed:
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "no_worker", "the service is ending")
        worker = Worker(self._build, self._limits.max_memory)
        self._workers.add(worker)
        return worker

    def _discard(self, worker: Worker, reason: str) -> None:
        with self._lock:
            ended_by_close = worker not in self._workers
            self._workers.discard(worker)
        if not ended_by_close:
            self._metrics.workers_ended[reason] += 1
            worker.kill()


def run_worker(connection: Connection, build: Callable[[], FaceScorer], max_memory: int) -> None:
    """Answer requests until the connection closes: the main function of a worker.

    Signals to the whole process group, from a terminal or a supervisor, are for the service: it drains, then
    closes the connection.
    """
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    scorer = build()
    leave_stderr_to_python()
    limit_process(max_memory)
    with suppress(EOFError, OSError):
        connection.send_bytes(b"ready")
        while True:
            images, detect = connection.recv()
            reply = reply_to(scorer, images, detect)
            del images
            connection.send_bytes(json.dumps(reply).encode())


def leave_stderr_to_python() -> None:
    """Send what libraries print nowhere: decoders print a line for each damaged image that a client sends."""
    sys.stderr = os.fdopen(os.dup(2), "w", errors="backslashreplace")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def reply_to(scorer: FaceScorer, images: Mapping[str, bytes], detect: bool | None) -> dict[str, Any]:
    """Return `{"verdict": ...}`, or `{"refusal": [status, error, message, field]}`."""
    try:
        return {"verdict": scorer.score(images, detect)}
    except RequestError as error:
        return {"refusal": [error.status.value, error.error, error.message, error.field]}
    except MemoryError:
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value
        return {"refusal": [status, "too_much_memory", "the images need too much memory", None]}
    except Exception as error:
        # Where it failed, without the message, which could repeat what a client sent.
        frames = "".join(traceback.format_tb(error.__traceback__))
        print(f"Scoring failed:\n{frames}{type(error).__name__}", file=sys.stderr, flush=True)  # noqa: T201
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value
        return {"refusal": [status, "internal", "the service failed", None]}


def limit_process(max_memory: int) -> None:
    """Limit this process to `max_memory` bytes of address space more than it has, and forbid core dumps.

    Linux only; elsewhere nothing tells or limits the address space, and memory is bounded by the size of the
    images alone.
    """
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError):
        return
    used = pages * os.sysconf("SC_PAGE_SIZE")
    for kind, limit in ((resource.RLIMIT_AS, used + max_memory), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))
