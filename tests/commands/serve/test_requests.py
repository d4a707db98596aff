"""What the service accepts as a request: size, form, fields and query."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MeanModel = Callable[..., Path]
WHITE, GREY = np.full((20, 30, 3), 255, np.uint8), np.full((20, 20, 3), 51, np.uint8)


def test_a_content_length_over_the_limit(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(), max_bytes=1000)
    connection = client.begin_score(length=10**9)
    response = connection.getresponse()  # without waiting for the body
    assert (response.status, b'"too_many_bytes"' in response.read()) == (413, True)
    connection.close()
    large = client.score(rgb=bytes(2_000_000))
    assert large.json["message"] == "the request is larger than the limit of 1000 bytes"
    assert client.score(rgb=WHITE).status == 200


def test_a_chunked_body_over_the_limit(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(), max_bytes=100_000)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="rgb"; filename="a"\r\n\r\n'
    chunks = iter([head, *[bytes(10_000)] * 50])
    assert client.request("POST", "/v1/score", chunks, headers).json["error"] == "too_many_bytes"


def test_a_photo_in_a_chunked_body(serve: Any, mean_model: MeanModel, form: Any) -> None:
    client = serve(mean_model())
    body, headers = form([("rgb", WHITE)])
    chunks = [body[start : start + 50] for start in range(0, len(body), 50)]
    assert client.request("POST", "/v1/score", iter(chunks), headers).status == 200


def test_large_photos_are_not_written_to_disk(serve: Any, mean_model: MeanModel, monkeypatch: Any) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a temporary file")

    client = serve(mean_model())
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    assert client.score(rgb=noise).status == 200


@pytest.mark.parametrize("path", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/face.png"])
def test_paths_and_addresses_are_not_followed(client: Any, assert_error: Any, path: str) -> None:
    assert_error(client.score(rgb=path), 400, "not_a_file", "rgb")
    assert_error(client.score(rgb=path.encode()), 422, "bad_image", "rgb")


def test_unknown_repeated_and_oversized_fields(client: Any, assert_error: Any, form: Any) -> None:
    message = assert_error(client.score(rgb=WHITE, rbg=WHITE), 400, "unknown_field")
    assert message == "unknown field 'rbg' (did you mean 'rgb'?)"
    assert_error(client.score(rgb=WHITE, path="/etc/passwd"), 400, "unknown_field")
    twice = form([("rgb", WHITE), ("rgb", GREY)])
    assert_error(client.request("POST", "/v1/score", *twice), 400, "repeated_field", "rgb")
    many = form([(f"x{number}", "") for number in range(200)])
    assert_error(client.request("POST", "/v1/score", *many), 400, "bad_form")
    long = client.score(rgb="x" * 2000)
    assert_error(long, 400, "bad_form")


@pytest.mark.parametrize("query", ["?detect=", "?detect=maybe", "?detect=true&detect=false", "?find=true"])
def test_bad_query_parameters(client: Any, assert_error: Any, query: str) -> None:
    error = "unknown_parameter" if "find" in query else "bad_parameter"
    assert_error(client.score(query, rgb=WHITE), 400, error)


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "image/png", "application/x-www-form-urlencoded"]
)
def test_bodies_that_are_not_forms(client: Any, assert_error: Any, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = client.request("POST", "/v1/score", b'{"rgb": "/etc/passwd"}', headers)
    assert "multipart/form-data" in assert_error(answer, 415, "not_a_form")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b"not a form"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nnameless\r\n--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="rgb"; filename="a"\r\n',
        ),
        ("multipart/form-data; boundary=" + "b" * 300, b"x"),
    ],
    ids=["no boundary", "empty boundary", "text", "nameless", "cut", "long boundary"],
)
def test_damaged_forms(client: Any, assert_error: Any, content_type: str, body: bytes) -> None:
    answer = client.request("POST", "/v1/score", body, {"Content-Type": content_type})
    assert answer.status == 400, answer.body
    assert answer.json["error"] in ("bad_form", "missing_modality")
