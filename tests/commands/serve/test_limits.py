"""How much the service takes: bytes, time, and requests at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fas_core.data.faces import CropSettings
from fas_core.runtime import Predictor
from fas_plugins.commands.serve.judge import Judge

MeanModel = Callable[..., Path]
WHITE = np.full((20, 30, 3), 255, np.uint8)


class Held:
    """A judge that waits until it is told to go on."""

    def __init__(self, model: Path) -> None:
        self.predictor = Predictor(model, threads=1)
        self._judge = Judge(self.predictor, CropSettings(), 10**6)
        self.go = threading.Event()
        self.at_once = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, *given: Any) -> Any:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        assert self.go.wait(20)
        with self._lock:
            self.at_once -= 1
        return self._judge(*given)


@pytest.fixture
def held(mean_model: MeanModel) -> Iterator[Held]:
    judge = Held(mean_model())
    yield judge
    judge.go.set()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_requests_beyond_the_bound_are_told_to_come_back(serve: Any, held: Held) -> None:
    client = serve(held, concurrency=2)
    with ThreadPoolExecutor(2) as pool:
        first = [pool.submit(client.score, rgb=WHITE) for _ in range(2)]
        wait_until(lambda: held.at_once == 2)
        assert client.get("/healthz").json == {"status": "ok", "busy": 2, "concurrency": 2}
        refused = client.score(rgb=WHITE)
        assert (refused.status, refused.json["error"]) == (503, "busy")
        assert int(refused.headers["retry-after"]) > 0
        held.go.set()
        assert [one.result().status for one in first] == [200, 200]
    assert held.most == 2
    assert client.score(rgb=WHITE).status == 200
    assert client.get("/healthz").json["busy"] == 0


def test_many_clients_at_once_are_all_answered_or_told_so(serve: Any, held: Held) -> None:
    held.go.set()
    client = serve(held, concurrency=3)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: client.score(rgb=WHITE), range(60)))
    assert {answer.status for answer in answers} <= {200, 503}
    assert sum(answer.status == 200 for answer in answers) >= 3
    assert held.most <= 3


def test_scoring_that_takes_too_long_keeps_its_place(serve: Any, held: Held) -> None:
    client = serve(held, concurrency=1, timeout=0.2)
    began = time.monotonic()
    late = client.score(rgb=WHITE)
    assert (late.status, late.json["error"]) == (503, "too_slow")
    assert time.monotonic() - began < 5
    assert client.score(rgb=WHITE).json["error"] == "busy"
    held.go.set()
    wait_until(lambda: client.get("/healthz").json["busy"] == 0)
    assert client.score(rgb=WHITE).status == 200


def start_of_request(client: Any, length: int) -> Any:
    connection = client.connect()
    connection.putrequest("POST", "/v1/score")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(length))
    connection.endheaders(b"--b\r\n")
    return connection


def test_a_request_that_does_not_arrive(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(), concurrency=1, timeout=0.3)
    connection = start_of_request(client, 1000)
    wait_until(lambda: client.get("/healthz").json["busy"] == 1)
    response = connection.getresponse()
    assert (response.status, b'"timeout"' in response.read()) == (408, True)
    connection.close()
    assert client.score(rgb=WHITE).status == 200


def test_a_client_that_goes_away_gives_its_place_back(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(), concurrency=1)
    connection = start_of_request(client, 1000)
    wait_until(lambda: client.get("/healthz").json["busy"] == 1)
    connection.close()
    wait_until(lambda: client.get("/healthz").json["busy"] == 0)
    assert client.score(rgb=WHITE).status == 200


def test_too_many_bytes_as_the_header_says(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(), max_bytes=1000)
    connection = start_of_request(client, 10**9)
    response = connection.getresponse()  # without waiting for the rest
    assert (response.status, b'"too_many_bytes"' in response.read()) == (413, True)
    connection.close()
    large = client.score(rgb=bytes(2_000_000))
    assert large.json["message"] == "the request has more than the 1000 bytes that are taken"
    assert client.score(rgb=WHITE).status == 200


def test_too_many_bytes_in_chunks(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(), max_bytes=100_000)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="rgb"; filename="a"\r\n\r\n'
    chunks = iter([head, *[bytes(10_000)] * 50])
    assert client.request("POST", "/v1/score", chunks, headers).json["error"] == "too_many_bytes"


def test_a_photo_in_chunks(serve: Any, mean_model: MeanModel, form: Any) -> None:
    client = serve(mean_model())
    body, headers = form([("rgb", WHITE)])
    parts = [body[start : start + 50] for start in range(0, len(body), 50)]
    assert client.request("POST", "/v1/score", iter(parts), headers).status == 200


def test_large_photos_touch_no_disk(serve: Any, mean_model: MeanModel, monkeypatch: Any) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a temporary file")

    client = serve(mean_model())
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    assert client.score(rgb=noise).status == 200
