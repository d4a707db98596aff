"""`POST /v1/score` over real connections: verdicts, and every way to be refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core.data.images import Image, encode

MeanModel = Callable[..., Path]
WHITE, GREY = np.full((20, 30, 3), 255, np.uint8), np.full((20, 20, 3), 51, np.uint8)


@pytest.fixture(scope="module")
def started() -> list[Any]:
    return []


@pytest.fixture
def client(started: list[Any], serve_long: Any, mean_model: MeanModel) -> Any:
    """Of one service for all these tests: what one of them sent does no harm to the next."""
    if not started:
        started.append(serve_long(mean_model()))
    return started[0]


def refused(answer: Any, status: int, error: str, field: str | None = None) -> str:
    """The message of an answer that must be this refusal, whole."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"error", "message", "field"}
    assert (answer.json["error"], answer.json["field"]) == (error, field)
    message: str = answer.json["message"]
    assert message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("image", "score", "verdict"), [(WHITE, 1.0, "live"), (GREY, 0.2, "attack")])
def test_a_face_is_scored(client: Any, image: Image, score: float, verdict: str) -> None:
    answer = client.score(rgb=image)
    assert answer.status == 200
    found = answer.json
    assert found.pop("score") == pytest.approx(score)
    model = found.pop("model")
    assert found == {
        "verdict": verdict,
        "threshold": 0.5,
        "policy": "fixed:0.5",
        "box": None,
        "faces": None,
        "width": image.shape[1],
        "height": image.shape[0],
    }
    assert model == {
        "file": "model.onnx",
        "modalities": ["rgb"],
        "input_size": 8,
        "recipe_digest": model["recipe_digest"],
    }


def test_the_face_is_found_first(client: Any, photo_with: Callable[..., Image]) -> None:
    answer = client.score("?detect=true", rgb=photo_with((200, 110, 70), (60, 100, 40)))
    assert answer.status == 200
    assert answer.json["faces"] == 2
    assert (answer.json["width"], answer.json["height"]) == (320, 240)
    x, y, w, h = answer.json["box"]
    assert w == h
    assert x < 200 < x + w
    assert y < 110 < y + h
    assert not x < 60 < x + w
    whole = client.score("?detect=false", rgb=photo_with((200, 110, 70)))
    assert whole.json["box"] is None
    assert whole.json["score"] != answer.json["score"]


def test_every_modality_counts(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(("rgb", "depth")))
    assert client.score(depth=GREY, rgb=WHITE).json["score"] == pytest.approx(0.6)
    message = refused(client.score(rgb=WHITE), 400, "missing_modality", "depth")
    assert message == "no 'depth' image: the model takes rgb, depth"


def test_a_model_that_can_do_without(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(("rgb", "depth"), partial=True))
    assert client.score(depth=GREY).json["score"] == pytest.approx(0.2)
    assert client.score(depth=GREY, rgb=WHITE).json["score"] == pytest.approx(0.6)
    refused(client.score(), 400, "missing_modality", "rgb")


def turned(image: Image) -> bytes:
    """A JPEG whose EXIF says that it is to be turned a quarter."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    data = encode(image, ".jpg")
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


def test_photos_are_turned_upright(client: Any) -> None:
    found = client.score(rgb=turned(WHITE)).json
    assert (found["width"], found["height"]) == (20, 30)


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 10^10 pixels."""
    data = bytearray(encode(GREY, ".png"))
    data[16:24] = (100_000).to_bytes(4, "big") * 2
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "status", "error"),
    [
        (b"", 422, "bad_image"),
        (b"hello", 422, "bad_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "bad_image"),
        (encode(GREY, ".png")[:-20], 422, "bad_image"),
        (encode(GREY, ".jpg")[:200], 422, "bad_image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 422, "bad_image"),
        (encode(GREY, ".bmp")[:60], 422, "bad_image"),
        (bomb(), 413, "too_many_pixels"),
    ],
    ids=["empty", "text", "svg", "cut png", "cut jpeg", "damaged png", "cut bmp", "bomb"],
)
def test_what_is_no_image(client: Any, data: bytes, status: int, error: str) -> None:
    message = refused(client.score(rgb=data), status, error, "rgb")
    assert message.startswith("rgb: ")
    assert client.score(rgb=WHITE).status == 200


def test_the_limit_of_pixels(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(), max_pixels=600)
    assert client.score(rgb=WHITE).status == 200
    larger = np.zeros((20, 31, 3), np.uint8)
    message = refused(client.score(rgb=larger), 413, "too_many_pixels", "rgb")
    assert message == "rgb: 31 x 20 pixels, more than the 600 that are taken"


def test_no_face(client: Any) -> None:
    assert refused(client.score("?detect=true", rgb=GREY), 422, "no_face", "rgb") == "rgb: no face found"


@pytest.mark.parametrize("path", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/face.png"])
def test_paths_and_addresses_are_not_followed(client: Any, path: str) -> None:
    refused(client.score(rgb=path), 400, "not_a_file", "rgb")
    refused(client.score(rgb=path.encode()), 422, "bad_image", "rgb")


def test_fields_of_another_kind(client: Any, form: Any) -> None:
    message = refused(client.score(rgb=WHITE, rbg=WHITE), 400, "unknown_field")
    assert message == "unknown field 'rbg' (did you mean 'rgb'?)"
    refused(client.score(rgb=WHITE, path="/etc/passwd"), 400, "unknown_field")
    twice = form([("rgb", WHITE), ("rgb", GREY)])
    refused(client.request("POST", "/v1/score", *twice), 400, "repeated_field", "rgb")
    many = form([(f"x{number}", "") for number in range(200)])
    refused(client.request("POST", "/v1/score", *many), 400, "bad_form")
    long = client.score(rgb="x" * 2000)
    refused(long, 400, "bad_form")


@pytest.mark.parametrize("query", ["?detect=", "?detect=maybe", "?detect=true&detect=false", "?find=true"])
def test_parameters_of_another_kind(client: Any, query: str) -> None:
    error = "unknown_parameter" if "find" in query else "bad_parameter"
    refused(client.score(query, rgb=WHITE), 400, error)


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "image/png", "application/x-www-form-urlencoded"]
)
def test_bodies_of_another_kind(client: Any, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = client.request("POST", "/v1/score", b'{"rgb": "/etc/passwd"}', headers)
    assert "multipart/form-data" in refused(answer, 415, "not_a_form")


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
def test_damaged_forms(client: Any, content_type: str, body: bytes) -> None:
    answer = client.request("POST", "/v1/score", body, {"Content-Type": content_type})
    assert answer.status == 400, answer.body
    assert answer.json["error"] in ("bad_form", "missing_modality")


def test_what_is_not_there(client: Any) -> None:
    refused(client.get("/v1/score/x"), 404, "not_found")
    refused(client.get("/static/../app.py"), 404, "not_found")
    refused(client.get("/static/%2e%2e/app.py"), 404, "not_found")
    answer = client.get("/v1/score")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_bug_is_said_without_its_details(serve: Any, mean_model: MeanModel, capfd: Any) -> None:
    class Broken:
        def __init__(self, predictor: Any) -> None:
            self.predictor = predictor

        def __call__(self, *_: Any) -> None:
            raise RuntimeError("secret of the house")

    from fas_core.runtime import Predictor

    client = serve(Broken(Predictor(mean_model())))
    message = refused(client.score(rgb=WHITE), 500, "internal")
    assert "secret" not in message
    assert client.get("/healthz").json["busy"] == 0


def test_sixteen_bit_depth_as_files_are_read(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(("depth",)))
    _, data = cv2.imencode(".png", np.array([[0, 500], [1000, 1500]], np.uint16))
    assert client.score(depth=bytes(data)).json["score"] == pytest.approx((1 + 128 + 255) / 4 / 255, abs=2e-3)
