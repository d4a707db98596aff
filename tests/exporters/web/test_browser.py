"""The real onnxruntime-web in Chromium: scores of simulated faces beside those of `fas predict`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from fixtures.browsers import CHROMIUM, DESK, MISSING, Browser
from fixtures.web_pages import SCORE, Site, open_browser, read_verdict, show_photos

from fas_core import FasError, Predictor
from fas_core.cli import main
from fas_core.data.images import prepare, read_image, write_image
from fas_core.testing import open_dataset, verify_on
from fas_plugins.exporters.options import WebOptions
from fas_plugins.exporters.web.export import export
from fas_plugins.exporters.web.runtime_files import get_runtime_files

pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason=MISSING)]

EXACT = {"model": 1e-5, "model.int8": 0.05}
"""Largest |difference| of scores for the same pixels, by the exported folder: 8-bit sums are rounded in other
places by the build for WebAssembly, and so differ as much as from float32."""

PHOTOS = 6


@pytest.fixture(scope="module", autouse=True)
def _real_runtime() -> None:
    try:
        get_runtime_files(None)
    except FasError as error:
        pytest.skip(f"onnxruntime-web is not at hand: {error}")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Simulated faces of dev, live ones and attacks, as PNG and JPEG files of 128 x 128."""
    root, options = tmp_path_factory.mktemp("faces") / "simulator", {"subjects": 9, "shots": 1, "size": 128}
    samples = open_dataset("synthetic", root, **options).samples("dev")
    rows, folder = range(0, len(samples), max(len(samples) // PHOTOS, 1)), tmp_path_factory.mktemp("photos")
    paths = []
    for number, row in enumerate(rows):
        path = folder / f"{number}.{'png' if number % 2 else 'jpg'}"
        write_image(path, read_image(samples.root / samples.column("rgb")[row]))
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def pages(
    photos: list[Path], make_model: Any, make_card: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Exported pages, in the folders `model` and `model.int8`."""
    model, card, folder = make_model(), make_card(), tmp_path_factory.mktemp("pages")
    side, resize = card.input.face_size, card.input.resize
    images = {"rgb": np.stack([prepare(read_image(path), side, resize) for path in photos])}
    weight, bias = list(model.parameters())[-2:]
    with torch.no_grad():  # so that scores differ, and lie around 0.5
        weight.mul_(20)
        bias.sub_(model({"rgb": torch.from_numpy(images["rgb"])}).logits.mean(0))
    for name in EXACT:
        options = WebOptions(form="int8" if name.endswith("int8") else "fp32")
        export(options, model, images, folder / name, card, verify_on(model, images))
    return folder


@pytest.fixture(scope="module")
def browser(photos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One whose webcam sees two of the faces."""
    opened = open_browser(tmp_path_factory.mktemp("browser"), [read_image(path) for path in photos[:2]])
    yield opened
    opened.close()


@pytest.mark.parametrize("name", list(EXACT))
def test_photos_have_the_scores_of_predict(
    pages: Path, photos: list[Path], browser: Browser, serve: Callable[[Path], Site], name: str
) -> None:
    browser.open(serve(pages / name).address, DESK, awaited=".tile")
    result = CliRunner().invoke(
        main, ["predict", str(pages / name / "model.onnx"), *map(str, photos), "--no-detect", "--json"]
    )
    expected = [row["score"] for row in json.loads(result.stdout)["rows"]]
    scores = [show_photos(browser, {"rgb": photo}) for photo in photos]
    assert max(expected) - min(expected) > 0.05
    assert scores == pytest.approx(expected, abs=EXACT[name])
    assert browser.messages == []


@pytest.mark.parametrize("name", list(EXACT))
def test_the_webcam_has_the_scores_of_its_pixels(
    pages: Path, browser: Browser, serve: Callable[[Path], Site], name: str
) -> None:
    site = serve(pages / name)
    browser.open(site.address, DESK, awaited=".tile")
    predictor = Predictor(site.folder / "model.onnx", threads=1)
    browser.run("webcam.click()")
    browser.wait(SCORE)
    for _ in range(3):
        score, seen, verdict = read_verdict(browser, predictor.card.input.face_size)
        (prediction,) = predictor.predict([{"rgb": seen}])
        assert score == pytest.approx(prediction.score, abs=EXACT[name])
        if abs(prediction.score - prediction.threshold) > EXACT[name]:
            assert verdict == prediction.verdict
        time.sleep(0.3)  # for other frames
    assert {line.split()[0] for line in site.requests} == {"GET"}  # no pixels leave the browser
    assert browser.messages == []
