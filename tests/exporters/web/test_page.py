"""The page in headless Chromium, with a stand-in for onnxruntime-web whose score is the mean brightness."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fixtures.browsers import CHROMIUM, DESK, MISSING, PHONE, Browser
from fixtures.web_pages import SCORE, Site, open_browser, read_seen, show_photos

from fas_core import Resize
from fas_core.data.images import Image, encode, prepare, read_image, write_image
from fas_core.testing import verify_on
from fas_plugins.exporters.options import WebOptions
from fas_plugins.exporters.web.export import export

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

SIDE, RESIZE = 64, Resize(0.9)


@pytest.fixture(scope="module")
def folder(
    make_model: Any, faces: Any, make_card: Any, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An exported folder."""
    model, images, path = make_model(), faces(["rgb"], 3), tmp_path_factory.mktemp("web") / "site"
    options, verify = WebOptions(web_runtime=str(package)), verify_on(model, images)
    export(options, model, images, path, make_card(), verify)
    return path


@pytest.fixture(scope="module")
def face(photo_with: Callable[..., Image]) -> Image:
    """A drawn face that fills its image, (240, 240, 3)."""
    return photo_with((120, 120, 100), shape=(240, 240))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, face: Image) -> Iterator[Browser]:
    """One whose webcam sees the face."""
    opened = open_browser(tmp_path_factory.mktemp("browser"), [face, face])
    yield opened
    opened.close()


@pytest.fixture
def page(
    browser: Browser, serve: Callable[[Path], Site], folder: Path
) -> Callable[..., tuple[Browser, Site]]:
    """`page(size, dark, **card)`: a browser that looks at a folder whose card was changed."""

    def start(size: tuple[int, int] = DESK, dark: bool = False, **card: Any) -> tuple[Browser, Site]:
        site = serve(folder)
        site.edit_card(input_size=SIDE, **card)
        browser.open(site.address, size, dark, awaited=".tile")
        return browser, site

    return start


def test_photos_are_prepared_as_for_predict(page: Any, face: Image, tmp_path: Path) -> None:
    """Shrunk to the bit; enlarged but for a level in few pixels, where OpenCV's sums lose their last bits."""
    browser, site = page()
    noise = np.random.default_rng(0).integers(0, 256, (301, 260, 3), np.uint8)
    photos = {
        "noise": cv2.GaussianBlur(noise, (5, 5), 1),
        "half": noise[:142, :142],  # 128 of it, twice the model's side
        "same": noise[:71, :90],
        "large": cv2.resize(face, (700, 900)),
        "small": noise[:41, :40],
    }
    for name, photo in photos.items():
        write_image(tmp_path / f"{name}.png", photo)
        score = show_photos(browser, {"rgb": tmp_path / f"{name}.png"})
        (seen,), expected = read_seen(browser, SIDE), prepare(photo, SIDE, RESIZE)
        assert score == pytest.approx(seen.mean() / 255, abs=1e-9)
        difference = np.abs(seen.astype(int) - expected)
        if name == "small":
            assert difference.max() <= 1
            assert (difference > 0).mean() < 0.02
        else:
            assert not difference.any(), name
    assert browser.messages == []
    assert {line.split()[0] for line in site.requests} == {"GET"}  # no pixels leave the browser
    assert len(site.requests) == len(set(site.requests))


def test_a_turned_jpeg_is_upright(page: Any, face: Image, tmp_path: Path) -> None:
    browser, _ = page()
    data = encode(face, ".jpg")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6
    path = tmp_path / "turned.jpg"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    assert not np.array_equal(read_image(path), cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1])
    show_photos(browser, {"rgb": path})
    (seen,) = read_seen(browser, SIDE)
    assert np.abs(seen.astype(int) - prepare(read_image(path), SIDE, RESIZE)).max() <= 1


@pytest.mark.parametrize(
    ("threshold", "verdict", "policy"),
    [
        ({"value": 0.2, "policy": "eer"}, "Live", "live when score ≥ 0.2 (eer)"),
        ({"value": 0.9, "policy": "eer"}, "Attack", "live when score ≥ 0.9 (eer)"),
        (
            {"value": 0.5, "policy": "eer", "reject": {"low": 0.2, "high": 0.8, "policy": "0.2:0.8"}},
            "Uncertain",
            "live when score ≥ 0.8 (0.2:0.8)",
        ),
        (None, "No threshold", "rgb"),
    ],
)
def test_the_verdict_is_by_the_card(
    page: Any, face: Image, tmp_path: Path, threshold: Any, verdict: str, policy: str
) -> None:
    browser, _ = page(threshold=threshold, novelty={"limit": 0.1})
    write_image(tmp_path / "face.png", face)
    score = show_photos(browser, {"rgb": tmp_path / "face.png"})
    assert browser.text("#verdict") == verdict
    assert policy in browser.text("#model")
    assert f"{score:.4g}" in browser.text("#details")
    assert browser.text("#error") == "Unlike the training data: what the model says of it is a guess."
    assert browser.messages == []


def test_the_webcam_is_scored_by_the_square(page: Any, face: Image) -> None:
    browser, site = page(threshold={"value": 0.2, "policy": "eer"})
    browser.run("webcam.click()")
    browser.wait(SCORE)
    assert browser.text("#verdict") == "Live"
    assert browser.text("#hint").startswith(
        "Bring the face into the oval. Whatever is in the square is scored"
    )
    (seen,) = read_seen(browser, SIDE)
    expected = prepare(cv2.resize(face, (384, 384)), SIDE, RESIZE)
    assert np.abs(seen.astype(int) - expected).mean() < 2  # the video has less colour than the photo
    rectangle, picture = browser.run(
        """["rect", "video"].map(name => {
          const { x, y, width, height } = document.querySelector(`#camera ${name}`).getBoundingClientRect();
          return [x, y, width, height];
        })"""
    )
    left, top, width, height = picture
    assert rectangle == pytest.approx(
        [left + 0.2 * width, top + 0.1 * height, 0.6 * width, 0.8 * height], abs=3
    )
    browser.run("delete result.dataset.score")
    browser.wait(SCORE)  # of the next frame
    browser.run("webcam.click()")
    browser.wait("verdict.textContent === 'Nothing scored yet'")
    assert browser.run("document.getElementById('camera').hidden")
    assert browser.messages == []
    assert {line.split()[0] for line in site.requests} == {"GET"}


def test_several_modalities(page: Any, face: Image, tmp_path: Path) -> None:
    browser, _ = page(modalities=["rgb", "ir"])
    assert browser.run("webcam.hidden")
    write_image(tmp_path / "face.png", face)
    browser.choose("ir", tmp_path / "face.png")
    browser.wait("verdict.textContent === 'Now the rgb image'")
    browser.choose("rgb", tmp_path / "face.png")
    browser.wait(SCORE)
    assert len(read_seen(browser, SIDE)) == 2
    browser, _ = page(modalities=["rgb", "ir"], partial=True)
    assert not browser.run("webcam.hidden")  # one modality is enough
    show_photos(browser, {"ir": tmp_path / "face.png"})
    assert len(read_seen(browser, SIDE)) == 1
    assert browser.messages == []


def test_what_cannot_be_shown_or_opened_is_said(page: Any, tmp_path: Path) -> None:
    browser, site = page()
    (tmp_path / "notes.png").write_text("no image")
    browser.choose("rgb", tmp_path / "notes.png")
    browser.wait("error.textContent")
    assert browser.text("#error") == "notes.png: this browser cannot show it."
    (site.folder / "model.onnx").write_bytes(b"")
    browser.open(site.address, awaited="#error:not(:empty)")
    assert browser.text("#verdict") == "The model cannot be opened"
    assert browser.text("#error") == "no model"


@pytest.mark.parametrize(("size", "dark"), [(PHONE, True), (DESK, False)], ids=["phone", "desk"])
def test_the_page_fits(page: Any, size: tuple[int, int], dark: bool) -> None:
    browser, _ = page(size, dark)
    browser.run("webcam.click()")
    browser.wait(SCORE)
    assert browser.run("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")
    heights = browser.run(
        "[...document.querySelectorAll('button')].map(button => button.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44  # for a thumb
    assert re.search(r"Time\s+[\d.]+ ms", browser.text("#details"))
    assert browser.messages == []
