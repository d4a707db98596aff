"""`POST /v1/score` over real connections: scores, detection, and images that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fas_core.data.images import Image, encode
from fas_core.runtime import Predictor
from fas_plugins.commands.serve.scoring import FaceScorer

MeanModel = Callable[..., Path]
WHITE, GREY = np.full((20, 30, 3), 255, np.uint8), np.full((20, 20, 3), 51, np.uint8)


@pytest.mark.parametrize(("image", "score", "verdict"), [(WHITE, 1.0, "live"), (GREY, 0.2, "attack")])
def test_a_face_is_scored(client: Any, image: Image, score: float, verdict: str) -> None:
    answer = client.score(rgb=image)
    assert answer.status == 200
    verdict_json = answer.json
    assert verdict_json.pop("score") == pytest.approx(score)
    del verdict_json["model"]
    assert verdict_json == {
        "verdict": verdict,
        "threshold": 0.5,
        "policy": "fixed:0.5",
        "reject": None,
        "reason": None,
        "novelty": None,
        "box": None,
        "faces": None,
        "detector": None,
        "note": None,
        "width": image.shape[1],
        "height": image.shape[0],
    }


def test_the_largest_face_is_detected(client: Any, photo_with: Callable[..., Image]) -> None:
    answer = client.score("?detect=true", rgb=photo_with((200, 110, 70), (60, 100, 40)))
    assert answer.status == 200
    assert (answer.json["faces"], answer.json["detector"]) == (2, "cascade")
    assert (answer.json["width"], answer.json["height"]) == (320, 240)
    x, y, w, h = answer.json["box"]
    assert w == h
    assert x < 200 < x + w
    assert y < 110 < y + h
    assert not x < 60 < x + w
    full_image = client.score("?detect=false", rgb=photo_with((200, 110, 70)))
    assert full_image.json["box"] is None
    assert full_image.json["score"] != answer.json["score"]


def test_every_modality_counts(serve: Any, mean_model: MeanModel, assert_error: Any) -> None:
    client = serve(mean_model(("rgb", "depth")))
    assert client.score(depth=GREY, rgb=WHITE).json["score"] == pytest.approx(0.6)
    message = assert_error(client.score(rgb=WHITE), 400, "missing_modality", "depth")
    assert message == "no 'depth' image: the model takes rgb, depth"


def test_a_partial_model_takes_some_modalities(serve: Any, mean_model: MeanModel, assert_error: Any) -> None:
    client = serve(mean_model(("rgb", "depth"), partial=True))
    assert client.score(depth=GREY).json["score"] == pytest.approx(0.2)
    assert client.score(depth=GREY, rgb=WHITE).json["score"] == pytest.approx(0.6)
    assert_error(client.score(), 400, "missing_modality", "rgb")


def rotated_jpeg(image: Image) -> bytes:
    """A JPEG whose EXIF orientation is a quarter turn."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    data = encode(image, ".jpg")
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


def test_photos_are_turned_upright(client: Any) -> None:
    found = client.score(rgb=rotated_jpeg(WHITE)).json
    assert (found["width"], found["height"]) == (20, 30)


def decompression_bomb() -> bytes:
    """A PNG of a few bytes whose header says 10^10 pixels."""
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
        (decompression_bomb(), 413, "too_many_pixels"),
    ],
    ids=["empty", "text", "svg", "cut png", "cut jpeg", "damaged png", "cut bmp", "bomb"],
)
def test_files_that_are_not_images(
    client: Any, assert_error: Any, data: bytes, status: int, error: str
) -> None:
    message = assert_error(client.score(rgb=data), status, error, "rgb")
    assert message.startswith("rgb: ")
    assert client.score(rgb=WHITE).status == 200


def test_images_over_the_pixel_limit(serve: Any, mean_model: MeanModel, assert_error: Any) -> None:
    client = serve(mean_model(), max_pixels=600)
    assert client.score(rgb=WHITE).status == 200
    larger = np.zeros((20, 31, 3), np.uint8)
    message = assert_error(client.score(rgb=larger), 413, "too_many_pixels", "rgb")
    assert message == "rgb: 31 x 20 pixels, over the limit of 600"


def test_no_face(client: Any, assert_error: Any) -> None:
    message = assert_error(client.score("?detect=true", rgb=GREY), 422, "no_face", "rgb")
    assert message.startswith("rgb: no face found")


def test_16_bit_depth_is_read_as_from_files(serve: Any, mean_model: MeanModel) -> None:
    client = serve(mean_model(("depth",)))
    _, data = cv2.imencode(".png", np.array([[0, 500], [1000, 1500]], np.uint16))
    assert client.score(depth=bytes(data)).json["score"] == pytest.approx((1 + 128 + 255) / 4 / 255, abs=2e-3)


def test_without_a_parameter_detection_is_automatic(
    serve: Any, mean_model: MeanModel, assert_error: Any, photo_with: Callable[..., Image]
) -> None:
    client = serve(FaceScorer(Predictor(mean_model(), threads=1), 10**6))
    assert_error(client.score(rgb=GREY), 422, "no_face", "rgb")
    answer = client.score(rgb=photo_with((200, 110, 70)))
    assert answer.json["box"] is not None
    assert answer.json["detector"] == "cascade"


def test_a_score_that_is_not_finite_is_an_error_with_a_body(
    serve: Any, mean_model: MeanModel, assert_error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(mean_model(), threads=1, detect=False)
    monkeypatch.setattr(predictor, "predict_finite", lambda faces: [None])
    message = assert_error(serve(FaceScorer(predictor, 10**6)).score(rgb=GREY), 500, "score_not_finite")
    assert message == "the model's score is not a finite number"
