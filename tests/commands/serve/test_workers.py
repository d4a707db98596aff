"""Worker processes: what a request may cost in time and memory, and what the death of a worker costs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core.data.images import encode
from fas_core.runtime import Predictor
from fas_plugins.commands.serve.limits import Limits, RequestError
from fas_plugins.commands.serve.metrics import Metrics
from fas_plugins.commands.serve.scoring import ModelFacts, build_scorer
from fas_plugins.commands.serve.workers import WorkerPool, reply_to

MeanModel = Callable[..., Path]
WHITE = {"rgb": encode(np.full((20, 30, 3), 255, np.uint8), ".png")}
POSIX = pytest.mark.skipif(os.name != "posix", reason="sends signals of POSIX")
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited on Linux only")


@pytest.fixture
def start_pool(mean_model: MeanModel) -> Iterator[Callable[..., tuple[WorkerPool, Metrics]]]:
    pools = []

    def start(**limits: Any) -> tuple[WorkerPool, Metrics]:
        model, metrics = mean_model(), Metrics()
        build = partial(build_scorer, 25_000_000, model, threads=1, detect=False)
        facts = ModelFacts.of(Predictor(model, detect=False))
        pools.append(WorkerPool(build, facts, Limits(**limits), metrics))
        return pools[-1], metrics

    yield start
    for pool in pools:
        pool.close()
    assert not workers()


def workers() -> list[Any]:
    return multiprocessing.active_children()


def test_a_worker_scores_as_the_service_itself_would(start_pool: Any) -> None:
    pool, _ = start_pool()
    pool.start()
    verdict = pool.score(WHITE, None)
    assert (verdict["score"], verdict["verdict"], verdict["width"]) == (1.0, "live", 30)
    with pytest.raises(RequestError, match="rgb: ") as error:
        pool.score({"rgb": b"no image"}, None)
    assert (error.value.status, error.value.error, error.value.field) == (422, "bad_image", "rgb")
    assert len(workers()) == 1


def test_workers_are_started_when_requests_need_them(start_pool: Any) -> None:
    pool, _ = start_pool(concurrency=2)
    with ThreadPoolExecutor(2) as threads:
        verdicts = list(threads.map(lambda _: pool.score(WHITE, None), range(20)))
    assert {verdict["score"] for verdict in verdicts} == {1.0}
    assert 1 <= len(workers()) <= 2


@POSIX
def test_a_worker_that_takes_too_long_is_ended(start_pool: Any) -> None:
    pool, metrics = start_pool(scoring_timeout=0.3)
    pool.start()
    (worker,) = workers()
    os.kill(worker.pid, signal.SIGSTOP)  # e.g. an image of endless work
    begin = monotonic()
    with pytest.raises(RequestError, match="took longer") as error:
        pool.score(WHITE, None)
    assert (error.value.status, error.value.error) == (503, "too_slow")
    assert monotonic() - begin < 5
    assert metrics.workers_ended == {"deadline": 1}
    assert worker not in workers()
    assert pool.score(WHITE, None)["score"] == 1.0


@POSIX
def test_the_death_of_a_worker_costs_one_answer(start_pool: Any) -> None:
    pool, metrics = start_pool()
    pool.start()
    with ThreadPoolExecutor(1) as threads:
        (worker,) = workers()
        os.kill(worker.pid, signal.SIGSTOP)
        answer = threads.submit(pool.score, WHITE, None)
        with pytest.raises(TimeoutError):
            answer.result(0.2)
        os.kill(worker.pid, signal.SIGKILL)  # e.g. a crash of the decoder
        with pytest.raises(RequestError, match="ended") as error:
            answer.result(20)
    assert (error.value.status, error.value.error) == (500, "worker_died")
    assert pool.score(WHITE, None)["score"] == 1.0
    (idle,) = workers()
    os.kill(idle.pid, signal.SIGKILL)  # e.g. the system was out of memory
    idle.join(10)
    assert pool.score(WHITE, None)["score"] == 1.0
    assert metrics.workers_ended == {"died": 2}


@POSIX
def test_readiness_starts_a_worker_where_none_lives(start_pool: Any, wait_until: Any) -> None:
    pool, _ = start_pool()
    pool.start()
    (worker,) = workers()
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(10)
    assert not pool.is_ready()
    wait_until(pool.is_ready)


@POSIX
def test_workers_ignore_the_signals_of_their_group(start_pool: Any) -> None:
    pool, _ = start_pool()
    pool.start()
    (worker,) = workers()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(worker.pid, number)
    assert pool.score(WHITE, None)["score"] == 1.0
    assert workers() == [worker]


def test_a_model_that_cannot_be_loaded_is_refused(tmp_path: Path, start_pool: Any) -> None:
    pool, _ = start_pool()
    pool._build = partial(build_scorer, 1, tmp_path / "none.onnx")
    with pytest.raises(RequestError, match="cannot be started"):
        pool.start()


@LINUX
def test_an_image_that_needs_too_much_memory_is_refused(start_pool: Any) -> None:
    pool, metrics = start_pool(max_memory=30)
    pool.start()
    (worker,) = workers()
    _, large = cv2.imencode(".png", np.full((3000, 3000, 3), 999, np.uint16))  # 54 MB
    with pytest.raises(RequestError) as error:
        pool.score({"rgb": bytes(large)}, None)
    assert error.value.status in (413, 422)
    assert pool.score(WHITE, None)["score"] == 1.0
    assert (workers(), metrics.workers_ended) == ([worker], {})


@LINUX
def test_the_limits_of_a_process() -> None:
    script = """
import resource
from fas_plugins.commands.serve.workers import limit_process
limit_process(50_000_000)
assert len(bytes(20_000_000)) == 20_000_000
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)  # core dumps would hold photos
try:
    bytes(200_000_000)
except MemoryError:
    print("limited")
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "limited\n"


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [(MemoryError(), 413, "too_much_memory"), (RuntimeError("alice.jpg"), 500, "internal")],
)
def test_failures_become_replies_and_their_messages_stay_inside(
    raised: Exception, status: int, code: str, capfd: Any
) -> None:
    class FailingScorer:
        def score(self, *_: Any) -> None:
            raise raised

    reply = reply_to(FailingScorer(), WHITE, None)  # type: ignore[arg-type]
    assert reply["refusal"][:2] == [status, code]
    assert HTTPStatus(status)
    assert "alice" not in f"{reply}{capfd.readouterr()}"
