"""Commands that take a MODEL take a fetched public model: `public:NAME`, or NAME alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result
from fixtures.public_models import SIDE, TERMS, Publisher, brightness_network

from fas_core import Predictor

Fas = Callable[..., Result]
CROP = {"crops": {"rgb": {"scale": 1.5, "shape": "square", "border": "black"}}}
BOX = (120, 80, 40, 40)
BRIGHT, DARK = 200, 40


@pytest.fixture
def folder(publisher: Publisher, fas: Fas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two photos and their boxes; `glow` and the ensemble `pair` are fetched."""
    publisher.publish("glow", brightness_network(), terms=TERMS | CROP)
    wide = {"crops": {"rgb": {"scale": 3, "shape": "square", "border": "black"}}}
    publisher.publish("pair", brightness_network(), brightness_network(0.5), terms=TERMS | CROP)
    publisher.entries["pair"]["files"][1]["terms"] = TERMS | wide
    publisher.write()
    for name in ("glow", "pair"):
        result = fas("models", "get", name, "--accept-licence", "--from", f"{publisher.base}/{name}/")
        assert result.exit_code == 0, result.stderr
    monkeypatch.chdir(tmp_path)
    rows = [("path", "label", "box")]
    for name, shade, label in (("live", BRIGHT, "live"), ("attack", DARK, "attack")):
        photo = np.full((240, 320, 3), 120, np.uint8)
        x, y, w, h = BOX
        photo[y - 10 : y + h + 10, x - 10 : x + w + 10] = shade  # 1.5 times the box
        cv2.imwrite(f"{name}.png", photo)
        rows.append((f"{name}.png", label, " ".join(map(str, BOX))))
    with Path("photos.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return tmp_path


def scores_of(result: Result) -> list[float]:
    assert result.exit_code == 0, result.output
    return [row["score"] for row in json.loads(result.stdout)["rows"]]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("model", ["public:glow", "glow", "models/glow"])
def test_predict_crops_by_the_models_own_scale(fas: Fas, model: str) -> None:
    scores = scores_of(fas("predict", model, "photos.csv", "--json"))
    assert scores == pytest.approx([BRIGHT / 255, DARK / 255], abs=1e-3)


@pytest.mark.usefixtures("folder")
def test_an_ensemble_is_the_mean_of_networks_with_crops_of_their_own(fas: Fas) -> None:
    # The region of scale 3 is 120 pixels wide, of which a square of 60 has the shade.
    wide = 0.5 * np.array([BRIGHT / 4 + 120 * 3 / 4, DARK / 4 + 120 * 3 / 4]) / 255
    expected = (np.array([BRIGHT, DARK]) / 255 + wide) / 2
    assert scores_of(fas("predict", "public:pair", "photos.csv", "--json")) == pytest.approx(
        expected, abs=5e-3
    )


@pytest.mark.usefixtures("folder")
def test_eval_takes_any_data_with_boxes(fas: Fas) -> None:
    result = fas("eval", "public:glow", "--data", "photos.csv", "--scores", "scores.csv", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["metrics"]["acer"] == 0
    assert document["threshold"]["value"] == 0.5
    assert "trained on nothing" in document["notes"]
    rows = list(csv.DictReader(Path("scores.csv").read_text().splitlines()))
    assert [float(row["score"]) for row in rows] == pytest.approx([BRIGHT / 255, DARK / 255], abs=1e-3)


def test_eval_takes_a_file_with_terms(fas: Fas, folder: Path) -> None:
    (folder / "terms.yaml").write_text(json.dumps(TERMS | CROP | {"threshold": 0.5}))
    file = folder / "models/glow/glow-0.onnx"
    result = fas("eval", file, "--foreign", "terms.yaml", "--data", "photos.csv", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["metrics"]["acer"] == 0
    assert "no data of its own: give --data" in fas("eval", file, "--foreign", "terms.yaml").stderr


@pytest.mark.usefixtures("folder")
def test_eval_without_boxes_detects_faces(fas: Fas, photo_with: Callable[..., Any]) -> None:
    cv2.imwrite("face.png", photo_with((160, 120, 60)))
    Path("list.csv").write_text("path,label\nface.png,live\nlive.png,live\nattack.png,attack\n")
    result = fas("eval", "glow", "--data", "list.csv", "--detector", "cascade", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["counts"]["no_response"] == 2  # photos without a face


@pytest.mark.parametrize("model", ["public:glow", "pair"])
def test_calibrate_sets_the_threshold_beside_the_networks(fas: Fas, folder: Path, model: str) -> None:
    """Live photos of three people, darker than the shipped threshold; networks and entry stay as they are."""
    for level, person in ((90, "ann"), (100, "bob"), (110, "cy")):
        (folder / "site" / person).mkdir(parents=True)
        cv2.imwrite(f"site/{person}/1.png", np.full((SIDE, SIDE, 3), level, np.uint8))
    fetched = folder / "models" / model.removeprefix("public:")
    before = {path: path.read_bytes() for path in fetched.iterdir()}
    result = fas("calibrate", model, "site", "--no-detect", "--json")
    assert result.exit_code == 0, result.output
    assert [json.loads(result.stdout)["changes"][0][key] for key in ("shipped", "calibrated")] == [1, 0]
    assert {path.name for path in fetched.iterdir()} - {path.name for path in before} == {"calibration.json"}
    assert {path: path.read_bytes() for path in before} == before
    predicted = json.loads(fas("predict", model, "site", "--no-detect", "--json").stdout)
    assert (predicted["threshold"]["policy"], predicted["counts"]["live"]) == ("calibrated:0.05", 3)
    weight = 1 if model == "public:glow" else 0.75  # the pair's second network halves the score
    assert predicted["threshold"]["value"] == pytest.approx(weight * 90 / 255, abs=1e-3)
    assert "shipped: accepted when score >= 0.5" in fas("calibrate", "--show", model).stdout
    assert fas("calibrate", "--undo", model).exit_code == 0
    assert {path: path.read_bytes() for path in fetched.iterdir()} == before


@pytest.mark.usefixtures("folder")
def test_several_data_are_rows_without_an_own_one(fas: Fas) -> None:
    Path("other.csv").write_text(Path("photos.csv").read_text())
    result = fas("eval", "glow", "--data", "photos.csv", "--data", "other.csv", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [item["name"] for item in document["data"]] == ["photos", "other"]
    assert document["notes"] == ["trained on nothing"]


@pytest.mark.usefixtures("folder")
def test_explain_and_the_python_class(fas: Fas) -> None:
    assert fas("explain", "public:glow", "photos.csv", "-o", "explained").exit_code == 0
    face = np.full((SIDE, SIDE, 3), 51, np.uint8)
    assert Predictor("public:glow", detect=False)(rgb=face).score == pytest.approx(0.2, abs=1e-3)


@pytest.mark.usefixtures("folder")
def test_mistakes_are_one_line(fas: Fas) -> None:
    for arguments, message in (
        (("predict", "public:none", "live.png"), "public:none: not fetched: `fas models get none`"),
        (("eval", "public:glow"), "has no data of its own: give --data"),
        (("predict", "glow", "live.png", "--margin", "0.5"), "the model states its own crops"),
    ):
        result = fas(*arguments)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
        assert message in result.stderr
