"""The endpoints: health, model, verdicts, requests at once, time limits, and bugs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fas_core.runtime import Predictor
from fas_plugins.commands.serve.scoring import FaceScorer, ModelFacts

MeanModel = Callable[..., Path]
WHITE = np.full((20, 30, 3), 255, np.uint8)


class BlockingScorer:
    """A scorer that waits until `go` is set, and counts its concurrent calls."""

    def __init__(self, model: Path) -> None:
        self._scorer = FaceScorer(Predictor(model, threads=1, detect=False), 10**6)
        self.facts = self._scorer.facts
        self.is_ready = self._scorer.is_ready
        self.go = threading.Event()
        self.running = self.most_running = 0
        self._lock = threading.Lock()

    def score(self, *arguments: Any) -> Any:
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        assert self.go.wait(20)
        with self._lock:
            self.running -= 1
        return self._scorer.score(*arguments)


@pytest.fixture
def scorer(mean_model: MeanModel) -> Iterator[BlockingScorer]:
    blocking = BlockingScorer(mean_model())
    yield blocking
    blocking.go.set()


def test_the_model_endpoint_describes_model_and_limits(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(("rgb", "ir"), partial=True), max_bytes=123)
    model = client.get("/v1/model").json
    assert model["file"] == "model.onnx"
    assert model["modalities"] == ["rgb", "ir"]
    assert (model["partial"], model["threshold"], model["policy"]) == (True, 0.5, "fixed:0.5")
    assert (model["max_bytes"], model["max_pixels"]) == (123, 25_000_000)


def test_a_verdict_repeats_policy_and_model(client: Any) -> None:
    verdict = client.score(rgb=WHITE).json
    assert verdict["policy"] == "fixed:0.5"
    assert verdict["model"] == {
        "file": "model.onnx",
        "modalities": ["rgb"],
        "input_size": 8,
        "recipe_digest": client.get("/v1/model").json["recipe_digest"],
    }


def test_a_novel_face_is_said_to_be_one(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(novelty=2.0))
    limit = client.get("/v1/model").json["novelty"]
    assert limit == {"limit": 2.0, "quantile": 0.99, "source": "dev", "samples": 100}
    far, near = (client.score(rgb=image).json for image in (WHITE, np.zeros_like(WHITE)))
    assert far["novelty"] == {"distance": pytest.approx(4), "limit": 2.0, "novel": True}
    assert near["novelty"] == {"distance": 0.0, "limit": 2.0, "novel": False}
    assert (far["verdict"], far["score"], far["reason"]) == ("live", pytest.approx(1), None)  # a warning


def test_unknown_paths_and_methods(client: Any, assert_error: Any) -> None:
    assert_error(client.get("/v1/score/x"), 404, "not_found")
    assert_error(client.get("/static/../app.py"), 404, "not_found")
    assert_error(client.get("/static/%2e%2e/app.py"), 404, "not_found")
    answer = client.get("/v1/score")
    assert_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_bug_is_reported_without_its_details(
    serve: Any, mean_model: MeanModel, assert_error: Any, capfd: Any
) -> None:
    class BrokenScorer:
        facts = ModelFacts.of(Predictor(mean_model()))

        def score(self, *_: Any) -> None:
            raise RuntimeError("internal secret")

    client = serve(BrokenScorer())
    assert "secret" not in assert_error(client.score(rgb=WHITE), 500, "internal")
    assert client.get("/healthz").json["busy"] == 0


def test_requests_over_the_limit_are_told_to_try_again(
    serve: Any, scorer: BlockingScorer, wait_until: Any
) -> None:
    client = serve(scorer, concurrency=2, queue=0)
    with ThreadPoolExecutor(2) as pool:
        first = [pool.submit(client.score, rgb=WHITE) for _ in range(2)]
        wait_until(lambda: scorer.running == 2)
        assert client.get("/healthz").json == {
            "status": "ok",
            "busy": 2,
            "waiting": 0,
            "concurrency": 2,
        }
        refused = client.score(rgb=WHITE)
        assert (refused.status, refused.json["error"]) == (503, "busy")
        assert int(refused.headers["retry-after"]) > 0
        scorer.go.set()
        assert [future.result().status for future in first] == [200, 200]
    assert scorer.most_running == 2
    assert client.score(rgb=WHITE).status == 200
    assert client.get("/healthz").json["busy"] == 0


def test_many_clients_at_once_get_a_verdict_or_a_refusal(serve: Any, scorer: BlockingScorer) -> None:
    scorer.go.set()
    client = serve(scorer, concurrency=3, queue=5)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: client.score(rgb=WHITE), range(60)))
    assert {answer.status for answer in answers} <= {200, 503}
    assert sum(answer.status == 200 for answer in answers) >= 8
    assert scorer.most_running <= 3


def test_a_request_counts_as_active_until_its_late_scoring_ends(
    serve: Any, scorer: BlockingScorer, wait_until: Any
) -> None:
    client = serve(scorer, concurrency=1, queue=0, timeout=0.2)
    late = client.score(rgb=WHITE)
    assert (late.status, late.json["error"]) == (503, "too_slow")
    assert scorer.running == 1
    assert client.score(rgb=WHITE).json["error"] == "busy"
    scorer.go.set()
    wait_until(lambda: client.get("/healthz").json["busy"] == 0)
    assert client.score(rgb=WHITE).status == 200


def test_a_request_that_does_not_arrive_in_time(serve: Any, mean_model: MeanModel, wait_until: Any) -> None:
    client = serve(mean_model(), concurrency=1, timeout=0.3)
    connection = client.begin_score(length=1000)
    wait_until(lambda: client.get("/healthz").json["busy"] == 1)
    response = connection.getresponse()
    assert (response.status, b'"timeout"' in response.read()) == (408, True)
    connection.close()
    assert client.score(rgb=WHITE).status == 200


def test_a_client_that_disconnects_is_no_longer_active(
    serve: Any, mean_model: MeanModel, wait_until: Any
) -> None:
    client = serve(mean_model(), concurrency=1)
    connection = client.begin_score(length=1000)
    wait_until(lambda: client.get("/healthz").json["busy"] == 1)
    connection.close()
    wait_until(lambda: client.get("/healthz").json["busy"] == 0)
    assert client.score(rgb=WHITE).status == 200
