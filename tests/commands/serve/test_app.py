"""What else is answered: health, facts, pages, headers; and who may ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MeanModel = Callable[..., Path]


def test_what_to_send(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(("rgb", "ir"), partial=True), max_bytes=123)
    found = client.get("/v1/model").json
    assert found["file"] == "model.onnx"
    assert found["modalities"] == ["rgb", "ir"]
    assert (found["partial"], found["threshold"], found["policy"]) == (True, 0.5, "fixed:0.5")
    assert (found["max_bytes"], found["max_pixels"]) == (123, 25_000_000)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/docs", "text/html; charset=utf-8"),
        ("/static/page.js", "text/javascript; charset=utf-8"),
        ("/static/style.css", "text/css; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
    ],
)
def test_pages(serve: Any, mean_model: MeanModel, path: str, kind: str) -> None:
    answer = serve(mean_model()).get(path)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.body


def test_every_answer_says_what_a_page_may_do(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model())
    for path in ("/", "/healthz", "/v1/score", "/none"):
        headers = client.get(path).headers
        rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_pages_load_nothing_from_elsewhere_and_have_nothing_inline(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model())
    for path in ("/", "/docs", "/static/page.js", "/static/draw.js", "/static/docs.js", "/static/style.css"):
        text = client.get(path).body.decode()
        assert "//" not in text.replace("// ", "").replace("http://www.w3.org/", "") or path.endswith(".js")
        assert "http:" not in text
        assert "https:" not in text
        assert " style=" not in text
        assert " onclick=" not in text


def test_only_this_machines_names_are_answered_to(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(), hosts=("localhost", "127.0.0.1", "[::1]"))
    for name in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert client.get("/healthz", Host=name).status == 200
    for name in ("evil.example", "127.0.0.1.evil.example:8000", ""):
        assert client.get("/healthz", Host=name).status == 400


def test_answers_do_not_wait_for_receipts(serve: Any, mean_model: MeanModel) -> None:
    connection = serve(mean_model()).connect()
    took = []
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    assert sorted(took)[len(took) // 4] < 0.03  # it was 0.04 and more when they did
