"""The pages in headless Chromium, driven over its debug pipe: photos, errors, the webcam, phones, keys."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.browsers import CHROMIUM, DESK, MISSING, PHONE, READY, Browser

from fas_core.data.images import Image, encode, read_image, write_image

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from fas_core.runtime import Predictor
from fas_plugins.commands.serve.access import AccessRules
from fas_plugins.commands.serve.limits import Limits
from fas_plugins.commands.serve.scoring import FaceScorer

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)

MeanModel = Callable[..., Path]
LOOK = """([x, y, w, h]) => {
  const canvas = document.querySelector("canvas"), { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const at = (x, y) => [0, 1, 2].map(part => data[4 * (y * width + x) + part]).join();
  const near = x => [-3, -2, -1, 0, 1, 2, 3].map(step => at(x + step, y + Math.round(h / 2)));
  return [[width, height], near(x), near(x + w), at(9, 470)];
}"""
"""The canvas's size and its colours around both sides of a box and in a corner."""

DROP = """data => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "face.png", { type: "image/png" }));
  const drop = new DragEvent("drop", { dataTransfer, cancelable: true });
  document.querySelector(".tile").dispatchEvent(drop);
}"""


FOREIGN_POST = """async (address, data) => {
  const form = new FormData();
  form.append("rgb", new Blob([Uint8Array.from(atob(data), letter => letter.charCodeAt(0))]), "face.png");
  await fetch(address, { method: "POST", mode: "no-cors", body: form }).catch(() => null);
}"""


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, photo_with: Callable[..., Image]) -> Path:
    path = tmp_path_factory.mktemp("photos") / "face.png"
    write_image(path, photo_with((200, 110, 70)))
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, face: Path) -> Iterator[Browser]:
    """One whose webcam sees the face."""
    folder = tmp_path_factory.mktemp("browser")
    photo = np.pad(read_image(face), ((120, 120), (160, 160), (0, 0)), "edge")
    (folder / "webcam.mjpeg").write_bytes(encode(photo, ".jpg") * 2)
    opened = Browser(
        folder,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={folder / 'webcam.mjpeg'}",
    )
    yield opened
    opened.close()


@pytest.fixture
def page(browser: Browser, serve: Any, mean_model: MeanModel) -> Callable[..., Browser]:
    """`page(path="/", size, dark, modalities, threshold, partial)`: a browser that looks at a new service."""

    def start(
        path: str = "/",
        size: tuple[int, int] = DESK,
        dark: bool = False,
        rules: Any = None,
        awaited: str = READY,
        **model: Any,
    ) -> Browser:
        client = serve(mean_model(**{"side": 32, **model}), rules)
        browser.open(f"http://127.0.0.1:{client.port}{path}", size, dark, awaited)
        return browser

    return start


def test_a_photo_is_scored_and_its_face_framed(page: Any, face: Path) -> None:
    browser = page(threshold=0.3)
    assert "model.onnx: rgb; live when score ≥ 0.3" in browser.text("#model")
    browser.choose("rgb", face)
    browser.wait("document.querySelector('canvas').ariaLabel?.startsWith('live')")
    assert browser.text("#verdict") == "Live"
    assert "320 × 240" in browser.text("#details")
    box = browser.run("[...details.querySelectorAll('dd')][3].textContent.split(',').map(Number)")
    assert box[0] < 200 < box[0] + box[2]
    size, left, right, corner = browser.run(f"({LOOK})({[2 * value for value in box]})")
    assert size == [640, 480]  # small photos are drawn larger, so that the label can be read
    assert "10,95,163" in left  # the frame
    assert "10,95,163" in right
    assert corner == "120,120,120"  # the photo
    assert browser.run("document.querySelector('canvas').ariaLabel").startswith("live, score 0.")
    assert browser.run("scale.ariaLabel").endswith("threshold 0.3")
    assert browser.messages == []


def test_an_attack_and_the_whole_image(page: Any, face: Path) -> None:
    browser = page(threshold=0.9)
    browser.run("detect.click()")
    browser.choose("rgb", face)
    browser.wait("verdict.className === 'attack'")
    assert browser.text("#verdict") == "Attack"
    assert "Face" not in browser.text("#details")
    browser.run("detect.click()")  # scored again, the face alone
    browser.wait("details.innerText.includes('Face')")
    browser.run("document.getElementById('clear').click()")
    assert browser.text("#verdict") == "Choose a photo"
    assert browser.run("document.querySelector('canvas').hidden")
    assert browser.messages == []


def test_an_uncertain_score_gets_no_verdict(
    browser: Browser, serve: Any, mean_model: MeanModel, face: Path
) -> None:
    predictor = Predictor(mean_model(side=32), threads=1, detect=False, reject="0.2:0.8")
    client = serve(FaceScorer(predictor, Limits().max_pixels))
    browser.open(f"http://127.0.0.1:{client.port}/", DESK)
    assert "live when score ≥ 0.8 (0.2:0.8)" in browser.text("#model")
    browser.choose("rgb", face)
    browser.wait("document.querySelector('canvas').ariaLabel?.startsWith('uncertain, score 0.')")
    assert browser.text("#verdict") == "Uncertain"
    assert browser.text("#error") == "No verdict: the score is uncertain from 0.2 up to 0.8 (0.2:0.8)."
    assert "0.2 to 0.8" in browser.text("#details")
    box = browser.run("[...details.querySelectorAll('dd')][4].textContent.split(',').map(Number)")
    _, left, right, _ = browser.run(f"({LOOK})({[2 * value for value in box]})")
    assert "88,94,103" in left  # the frame is neither live's nor an attack's
    assert "88,94,103" in right
    assert browser.messages == []


def test_a_novel_face_gets_its_verdict_with_a_warning(page: Any, face: Path) -> None:
    browser = page(novelty=0.1)
    browser.choose("rgb", face)
    browser.wait("verdict.className")
    assert browser.text("#verdict") in ("Live", "Attack")
    assert browser.text("#error") == "Unlike the training data: what the model says of it is a guess."
    assert re.search(r"Novelty\s+\d[.\d]*, limit 0\.1", browser.text("#details"))
    assert browser.messages == []


@pytest.mark.parametrize(("path", "loaded"), [("/", ".tile"), ("/docs", "section h3")])
def test_the_pages_ask_for_the_token_once(page: Any, face: Path, path: str, loaded: str) -> None:
    token = "a-token-of-the-service"
    browser = page(path, rules=AccessRules({"127.0.0.1"}, token=token), awaited="dialog")
    assert not browser.run(f"document.querySelector('{loaded}')")
    for value in ("a-wrong-token-of-it", token):
        browser.run(f"document.getElementById('token').value = '{value}'")
        browser.run("document.getElementById('send-token').click()")
        browser.wait(f"document.querySelector('{loaded}') || /not the token/.test(document.body.innerText)")
    browser.wait(f"document.querySelector('{loaded}')")
    browser.open(browser.run("location.href"))  # again, in the same tab
    assert not browser.run("document.querySelector('dialog')")
    if path == "/":
        browser.choose("rgb", face)
        browser.wait("verdict.className")


@pytest.fixture
def other_origin(tmp_path: Path) -> Iterator[str]:
    """Address of a page on another port of this machine: the same site, and another origin."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_: Any) -> None:
            pass

    (tmp_path / "page.html").write_text("<div class=tile></div>")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/page.html"
        server.shutdown()
        thread.join()


def test_a_page_of_another_origin_gets_no_verdict(
    browser: Browser, serve: Any, mean_model: MeanModel, face: Path, other_origin: str
) -> None:
    client = serve(mean_model())
    browser.open(other_origin)
    data = base64.b64encode(face.read_bytes()).decode()
    browser.run(f"({FOREIGN_POST})('http://127.0.0.1:{client.port}/v1/score', '{data}')")
    metrics = client.get("/metrics").body.decode()
    assert 'fas_serve_refusals_total{error="cross_origin"} 1' in metrics  # the browser did send the photo
    assert "fas_serve_verdicts_total{" not in metrics


def test_images_that_cannot_be_scored_get_a_message(page: Any, tmp_path: Path) -> None:
    browser = page()
    (tmp_path / "notes.png").write_text("no image")
    browser.choose("rgb", tmp_path / "notes.png")
    browser.wait("error.textContent")
    assert browser.text("#verdict") == "No verdict"
    assert browser.text("#error").startswith("rgb: cannot be decoded")
    write_image(tmp_path / "grey.png", np.full((50, 50, 3), 90, np.uint8))
    browser.choose("rgb", tmp_path / "grey.png")
    browser.wait("verdict.textContent === 'No face found'")
    assert not browser.run("document.querySelector('canvas').hidden")  # the photo is still shown


def test_photos_can_be_dropped(page: Any, face: Path) -> None:
    browser = page(threshold=0.3)
    data = base64.b64encode(face.read_bytes()).decode()
    browser.run(f"({DROP})('{data}')")
    browser.wait("verdict.className === 'live'")


def test_several_modalities_are_requested_in_turn(page: Any, face: Path) -> None:
    browser = page(modalities=("rgb", "depth"))
    assert browser.run("webcam.hidden")
    browser.choose("rgb", face)
    browser.wait("verdict.textContent === 'Now the depth image'")
    browser.choose("depth", face)
    browser.wait("verdict.className")
    assert browser.messages == []


def test_the_webcam_is_scored_frame_by_frame(page: Any) -> None:
    browser = page(threshold=0.3)
    browser.run("webcam.click()")
    browser.wait("verdict.className === 'live'")
    assert "640 × 480" in browser.text("#details")
    assert browser.text("#webcam") == "Stop the webcam"
    before = browser.run("performance.getEntriesByType('resource').length")
    browser.wait(f"performance.getEntriesByType('resource').length > {before} + 2")
    browser.run("webcam.click()")
    browser.wait("verdict.textContent === 'Choose a photo'")
    assert browser.run("document.querySelector('canvas').hidden")
    assert browser.messages == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_fit(page: Any, face: Path, path: str, size: tuple[int, int], dark: bool) -> None:
    browser = page(path, size, dark, modalities=("rgb", "depth", "ir") if path == "/docs" else ("rgb",))
    if path == "/":
        browser.choose("rgb", face)
        browser.wait("verdict.className")
    assert browser.run("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")
    small = browser.run(
        """[...document.querySelectorAll("button:not([hidden]), .controls label")]
        .filter(one => one.getBoundingClientRect().height < 44).map(one => one.innerText)"""
    )
    assert small == []  # too small for a thumb
    assert browser.messages == []


def test_every_control_is_reachable_by_keyboard(page: Any, face: Path) -> None:
    browser = page()
    browser.choose("rgb", face)
    browser.wait("verdict.className")
    reached = []
    for _ in range(5):
        browser.press("Tab")
        reached.append(browser.run("document.activeElement.id || document.activeElement.tagName"))
    assert reached == ["file-rgb", "webcam", "clear", "detect", "A"]
    unnamed = browser.run(
        """[...document.querySelectorAll("input, button")]
        .filter(one => !(one.innerText || one.labels?.[0]?.innerText || one.ariaLabel)).length"""
    )
    assert unnamed == 0


def test_the_api_page_describes_the_request_and_the_errors(page: Any) -> None:
    browser = page("/docs", modalities=("rgb", "depth"))
    text = browser.text("main")
    assert "POST /v1/score" in text
    assert "-F rgb=@rgb.jpg -F depth=@depth.jpg" in text
    for status in ("400", "408", "413", "415", "422", "503"):
        assert status in text
    assert browser.messages == []
