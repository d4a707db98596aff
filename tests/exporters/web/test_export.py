"""The folder of a web page: what is in it, what it loads, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from fas_core import Exporter, FasError, ModelError, ModelFile, ScaledCrop, Threshold
from fas_core.registry import registry
from fas_core.scores.rejection import RejectBand
from fas_core.testing import check_component, check_exporter, score_images, verify_on
from fas_plugins.exporters.options import WebOptions
from fas_plugins.exporters.web.export import export
from fas_plugins.exporters.web.runtime_files import FILES, PACKAGE

PAGE = {"index.html", "style.css", "page.css", "icon.svg", "page.js", "model.js", "camera.js", "resize.js"}
PAGE |= {"tile.js", "verdict.js"}
MODALITIES = ("rgb", "ir")
TEXTS = (".html", ".css", ".svg", ".js")


@pytest.fixture(scope="module")
def model(make_model: Any) -> Any:
    """One model for all tests, which is converted once."""
    return make_model(MODALITIES, partial=True)


@pytest.fixture
def write(
    model: Any, faces: Any, make_card: Any, package: Path, tmp_path: Path
) -> Callable[..., tuple[Path, Any, Any]]:
    """`write(card, form)`: the folder, the `Exported` record, and the samples."""

    def make(card: Any = None, **options: Any) -> tuple[Path, Any, Any]:
        images, card = faces(MODALITIES, 5), card or make_card(MODALITIES, partial=True)
        folder, options = tmp_path / "site", {"web_runtime": str(package), **options}
        done = export(WebOptions(**options), model, images, folder, card, verify_on(model, images))
        return folder, done, images

    return make


def test_the_folder_is_complete(write: Any, model: Any, package: Path) -> None:
    folder, done, images = write()
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == PAGE | {"model.onnx", "card.json"} | {f"runtime/{name}" for name in FILES}
    assert list(folder.parent.iterdir()) == [folder]
    assert done.path == folder / "model.onnx"
    assert {path.relative_to(folder).as_posix() for path in done.beside} == files - {"model.onnx"}
    assert done.facts["onnxruntime-web"] == PACKAGE.version
    for name, source in FILES.items():
        assert (folder / "runtime" / name).read_bytes() == (package / "dist" / source).read_bytes()
    np.testing.assert_allclose(ModelFile(done.path)(images), score_images(model, images), atol=1e-5)


def test_the_page_loads_nothing_from_elsewhere(write: Any) -> None:
    folder, _, _ = write()
    html = (folder / "index.html").read_text()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert dict(directive.split(" ", 1) for directive in policy.split("; ")) == {
        "default-src": "'none'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not re.findall(r"<style|style=|<script>|\son\w+=", html)  # which the policy would block
    named = re.findall(r'(?:src|href)="([^"]*)"', html)
    for path in folder.iterdir():
        if path.suffix in TEXTS:
            text = path.read_text()
            assert not set(re.findall(r"\w+://[^\"'\s]*", text)) - {"http://www.w3.org/2000/svg"}, path.name
            named += re.findall(r'(?:from |import\(|load\(|URL\()"([^"]*)"', text)
    assert {"model.js", "card.json", "model.onnx"} <= {Path(name).name for name in named}
    for name in named:
        assert (folder / name).is_file(), name


def test_what_the_page_knows_of_the_model(write: Any, make_card: Any) -> None:
    card = make_card(MODALITIES, partial=True)
    band = RejectBand(0.25, 0.5, "0.25:0.5", "given")
    card = evolve(
        card,
        threshold=Threshold(0.3125, "eer", "dev", band),
        recipe={"data": {"name": "synthetic", "root": "/home/me/faces"}},
    )
    folder, _, _ = write(card)
    text = (folder / "card.json").read_text()
    known = json.loads(text)
    assert known["modalities"] == ["rgb", "ir"]
    assert (known["partial"], known["input_size"], known["resize"]) == (True, 16, {"crop": 0.9})
    assert known["threshold"]["value"] == 0.3125
    assert known["threshold"]["policy"] == "eer"
    assert (known["threshold"]["reject"]["low"], known["threshold"]["reject"]["high"]) == (0.25, 0.5)
    assert known["recipe_digest"] == card.digest
    assert known["note"].startswith("the model was trained on simulated faces")
    assert "/home/me" not in text


def test_the_form_is_that_of_the_onnx_file(write: Any) -> None:
    _, done, _ = write(form="int8")
    layers, total = map(int, str(done.facts["int8 layers"]).split(" of "))
    assert 0 < layers <= total


def test_it_keeps_the_contract_of_exporters(package: Path, tmp_path: Path) -> None:
    check_exporter("web", tmp_path, WebOptions(web_runtime=str(package)))


def test_the_kit_fetches_nothing() -> None:
    checked = check_component(registry().find(Exporter, "web"))
    assert checked.status == "not checked"
    assert checked.reason == "it fetches onnxruntime-web: check it in a test that has it at hand"


def test_an_existing_folder_is_not_replaced(write: Any, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    with pytest.raises(FasError, match="site: is there already"):
        write()


def test_a_model_that_crops_photos_is_refused(write: Any, make_card: Any, tmp_path: Path) -> None:
    card = make_card(MODALITIES, partial=True)
    crops = {"rgb": ScaledCrop(2.7), "ir": ScaledCrop(4)}
    card = evolve(card, input=evolve(card.input, crops=crops))
    with pytest.raises(ModelError, match=r"crops of 2\.7, 4 times the face's box"):
        write(card)
    assert not list(tmp_path.iterdir())


def test_without_the_runtime_nothing_is_written(write: Any, tmp_path: Path) -> None:
    with pytest.raises(FasError, match=r"--web-runtime .*nowhere: no such file or folder"):
        write(web_runtime=str(tmp_path / "nowhere"))
    assert not list(tmp_path.iterdir())
