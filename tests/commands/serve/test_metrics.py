"""Metrics in Prometheus' text format."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from fas_plugins.commands.serve.metrics import Metrics

WHITE = np.full((20, 30, 3), 255, np.uint8)


def read(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \S+', line) for line in lines)
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_the_histogram_is_cumulative() -> None:
    metrics = Metrics()
    for seconds in (0.004, 0.01, 0.3, 100):
        metrics.count_request("/v1/score", 200, seconds)
    metrics.count_request("/v1/score", 503, 0.001)  # a refusal is no latency
    values = read(metrics.format({"active": 3}))
    buckets = [values[f'fas_serve_score_seconds_bucket{{le="{bound}"}}'] for bound in (0.01, 0.25, 0.5)]
    assert buckets == [2, 2, 3]
    assert values['fas_serve_score_seconds_bucket{le="+Inf"}'] == values["fas_serve_score_seconds_count"] == 4
    assert values["fas_serve_score_seconds_sum"] == pytest.approx(100.314)
    assert values["fas_serve_active"] == 3


def test_requests_refusals_and_verdicts_are_counted(client: Any) -> None:
    before = read(client.get("/metrics").body.decode())
    client.score(rgb=WHITE)
    client.score(rgb=b"no image")
    client.get("/photos/alice.jpg")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "alice" not in answer.body.decode()
    after = read(answer.body.decode())
    for name in (
        'fas_serve_requests_total{path="/v1/score",status="200"}',
        'fas_serve_requests_total{path="/v1/score",status="422"}',
        'fas_serve_requests_total{path="other",status="404"}',
        'fas_serve_refusals_total{error="bad_image"}',
        'fas_serve_verdicts_total{verdict="live"}',
        "fas_serve_score_seconds_count",
    ):
        assert after[name] == before.get(name, 0) + 1
    assert (after["fas_serve_active"], after["fas_serve_waiting"], after["fas_serve_concurrency"]) == (
        0,
        0,
        8,
    )
