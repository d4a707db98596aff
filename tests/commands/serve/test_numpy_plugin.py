"""A plugin's backbone, exporter, runtime and detector, from training to the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from fixtures.recipes import plain_recipe
from fixtures.samples import save
from fixtures.strangers import Here

from fas_core import Predictor


def square_in_dark() -> np.ndarray:
    photo = np.zeros((120, 160, 3), np.uint8)
    photo[30:70, 50:90] = 255
    return photo


def test_a_plugins_files_are_exported_evaluated_calibrated_and_served(
    numpy_plugin: Here,
    training_faces: Path,
    tmp_path: Path,
    start_client: Callable[..., Any],
) -> None:
    fas, run, model = numpy_plugin.fas, tmp_path / "tiny", tmp_path / "model.npz"
    network = {"backbone": "patches", "fusion": "single", "input_size": 32}
    recipe = plain_recipe(training_faces, epochs=1) | {"model": network}
    run.with_suffix(".yaml").write_text(yaml.safe_dump(recipe))
    fas("train", run.with_suffix(".yaml"), "--runs", tmp_path, "-q")
    done = fas("export", run, "--format", "npz", "-o", model)
    assert f"fas predict {model}" in done.stdout
    assert "no installed runtime" not in done.stderr

    images = sorted((training_faces / "test/live").iterdir())
    verdicts, expected = (
        json.loads(fas("predict", path, *images, "--no-detect", "--json").stdout)["rows"]
        for path in (model, run)
    )
    np.testing.assert_allclose(
        [row["score"] for row in verdicts], [row["score"] for row in expected], atol=1e-4
    )
    figures, own = (
        json.loads(fas("eval", path, "--data", f"folder:{training_faces}", "--json").stdout)["metrics"]
        for path in (model, run)
    )
    assert figures == pytest.approx(own, abs=1e-9)

    # No runtime writes its card, so the calibration lies beside the file, and goes with its bytes.
    content = model.read_bytes()
    fas("calibrate", model, training_faces / "dev/live", "--rule", "quantile", "--no-detect", "-q")
    assert model.read_bytes() == content
    stored = json.loads((tmp_path / "model.npz.calibration.json").read_text())
    assert Predictor(model).threshold == stored["calibration"]["threshold"]["value"]

    (numpy_plugin.site.path / "torch.py").write_text("raise ImportError('not needed')")
    process, client = start_client(model, "--detector", "bright", "--detect")
    answer = client.score(rgb=square_in_dark())
    assert answer.status == 200, answer.body
    assert (answer.json["detector"], answer.json["box"]) == ("bright", [46.0, 26.0, 48.0, 48.0])
    expected_score = Predictor(model, detect=True, detector="bright")(rgb=square_in_dark()).score
    assert answer.json["score"] == pytest.approx(expected_score, abs=1e-6)
    process.terminate()


def test_a_plugins_detector_crops_photos(numpy_plugin: Here, tmp_path: Path) -> None:
    photo = save(tmp_path / "photos/1.png", square_in_dark())
    arguments = ("data", "crop", photo.parent, tmp_path / "crops", "--detector", "bright", "--size", 16)
    done = json.loads(numpy_plugin.fas(*arguments, "--json").stdout)
    assert (done["crops"], done["detector"]) == (1, "bright")
    qualified = ("--detector", "numpy-plugin:bright", "--align")
    message = numpy_plugin.fas("data", "crop", photo.parent, tmp_path / "b", *qualified, expected=2).stderr
    assert message.startswith("error: bright finds no landmarks")


def test_the_plugin_is_listed_and_passes_the_kit(numpy_plugin: Here) -> None:
    rows = json.loads(numpy_plugin.fas("plugins", "list", "--json").stdout)["plugins"]
    kinds = {(row["kind"], row["name"]) for row in rows if row["distribution"] == "numpy-plugin"}
    assert {("runtime", "npz"), ("detector", "bright"), ("exporter", "npz")} <= kinds
    for name in ("runtime:npz", "exporter:npz", "bright"):
        done = json.loads(numpy_plugin.fas("plugins", "check", name, "--json").stdout)
        assert [item["status"] for item in done["components"]] == ["passed"]
    shown = numpy_plugin.fas("plugins", "show", "runtime:npz").stdout
    assert "numpy_plugin:Arrays" in shown
