"""Cards of exported files and of runs: written anew, sealed, scores and other metadata unchanged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from attrs import evolve

from fas_core import FasError, ModelError
from fas_core.console import console
from fas_core.digests import check_model_file, hash_file, seal_model_file
from fas_core.library_settings import import_openvino
from fas_core.runtime.calibration_file import read_calibration
from fas_core.runtime.model_file import ModelFile
from fas_core.scores.calibration import Calibration
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.calibrate.cards import open_card

MeanModel = Callable[..., Path]
CALIBRATION = Calibration(
    threshold=Threshold(0.25, "calibrated:0.05", "3 people, 2026-11-29"),
    shipped=Threshold(0.5, "fixed:0.5", "given"),
    rule="blend",
    bpcer=0.05,
    date="2026-11-29",
    photos=9,
    people=3,
    attacks=0,
    rejected=0.0,
    interval=(0.0, 0.7),
)


def test_a_sealed_onnx_file_keeps_everything_but_card_and_seal(mean_model: MeanModel) -> None:
    path = mean_model()
    model = onnx.load(path)
    model.metadata_props.add(key="note", value="of another program")
    onnx.save(model, path)
    seal_model_file(path)
    before = path.read_bytes()
    holder = open_card(path)
    holder.write(holder.card.calibrate(CALIBRATION), None)
    check_model_file(path)
    written = onnx.load(path)
    onnx.checker.check_model(written, full_check=True)
    assert [entry.key for entry in written.metadata_props] == ["fas", "note", "fas_sha256"]
    assert written.graph == model.graph
    assert written.opset_import == model.opset_import
    assert ModelFile(path).card == holder.card.calibrate(CALIBRATION)
    again = open_card(path)
    again.write(again.card.calibrate(None), None)
    assert ModelFile(path).card == holder.card
    assert len(path.read_bytes()) >= len(before)


def test_a_damaged_file_is_not_calibrated(mean_model: MeanModel) -> None:
    path = mean_model()
    seal_model_file(path)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        open_card(path)


def test_a_copy_leaves_the_model_as_it_is(mean_model: MeanModel, tmp_path: Path) -> None:
    path, copy = mean_model(), tmp_path / "door.onnx"
    before = path.read_bytes()
    holder = open_card(path)
    assert holder.write(holder.card.calibrate(CALIBRATION), copy) == copy
    assert path.read_bytes() == before
    assert ModelFile(copy).card.threshold == CALIBRATION.threshold


def test_the_verification_is_made_anew(mean_model: MeanModel) -> None:
    path = mean_model()
    file = Path(f"{path}.verification.json")
    file.write_text(json.dumps({"file": path.name, "size": 1, "acer_before": 0.02}))
    holder = open_card(path)
    holder.write(holder.card.calibrate(CALIBRATION), None)
    document = json.loads(file.read_text())
    assert (document["size"], document["acer_before"]) == (path.stat().st_size, 0.02)
    assert document["calibration"]["max_difference"] == 0
    assert document["calibration"]["threshold"]["value"] == 0.25
    again = open_card(path)
    again.write(again.card.calibrate(None), None)
    assert "calibration" not in json.loads(file.read_text())


def test_a_verification_of_another_file_is_not_passed_on(
    mean_model: MeanModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a kill between model and verification leaves it."""
    console.reset()
    path = mean_model()
    file = Path(f"{path}.verification.json")
    file.write_text(json.dumps({"sha256": {path.name: "0" * 64}, "acer_before": 0.02}))
    holder = open_card(path)
    holder.write(holder.card.calibrate(CALIBRATION), None)
    document = json.loads(file.read_text())
    assert "acer_before" not in document
    assert document["sha256"] == {path.name: hash_file(path)}
    assert f"is of another {path.name}: what it says is left out" in " ".join(capsys.readouterr().err.split())


def test_a_partial_model_is_compared_with_its_presence(mean_model: MeanModel) -> None:
    path = mean_model(("rgb", "ir"), partial=True)
    holder = open_card(path)
    holder.write(holder.card.calibrate(CALIBRATION), None)
    assert ModelFile(path).card.calibration == CALIBRATION


def test_openvino_files_are_rewritten_with_their_weights(mean_model: MeanModel, tmp_path: Path) -> None:
    if find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    openvino = import_openvino("a test")
    source = mean_model()
    card = ModelFile(source).card
    model = openvino.convert_model(source)
    model.set_rt_info(card.to_json(), ["fas"])
    path, copy = tmp_path / "model.xml", tmp_path / "door.xml"
    openvino.save_model(model, path, compress_to_fp16=False)
    seal_model_file(path)
    holder = open_card(path)
    assert holder.card == card
    holder.write(card.calibrate(CALIBRATION), copy)
    check_model_file(copy)
    images = {"rgb": np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)}
    assert ModelFile(copy)(images).tolist() == ModelFile(path)(images).tolist()
    assert ModelFile(copy).card == card.calibrate(CALIBRATION)
    again = open_card(copy)
    again.write(again.card.calibrate(None), None)
    assert copy.read_bytes() == path.read_bytes()


def test_a_run_is_calibrated_beside_its_weights(trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    holder = open_card(run)
    shipped, reference = holder.card.threshold, holder.card.reference
    assert reference is not None
    assert (reference.samples, reference.people) == (12, 0)
    calibration = evolve(CALIBRATION, shipped=shipped)
    holder.write(holder.card.calibrate(calibration), None)
    assert open_card(run).card.threshold == calibration.threshold
    assert open_card(run).card.shipped_threshold == shipped
    shutil.copyfile(run / "last.safetensors", run / "best.safetensors")
    if (trained / "last.safetensors").read_bytes() != (trained / "best.safetensors").read_bytes():
        with pytest.raises(ModelError, match="is of another model"):
            open_card(run)
    shutil.copyfile(trained / "best.safetensors", run / "best.safetensors")
    again = open_card(run)
    again.write(again.card.calibrate(None), None)
    assert read_calibration(run, "any") is None
    assert open_card(run).card.threshold == shipped


@pytest.mark.parametrize(
    ("model", "other", "whole"),
    [("face/1/model.onnx", "face/config.pbtxt", "Triton folder"), ("model.onnx", "card.json", "web page")],
)
def test_the_file_in_an_exported_folder_is_not_changed_alone(
    mean_model: MeanModel, tmp_path: Path, model: str, other: str, whole: str
) -> None:
    path = tmp_path / "exported" / model
    path.parent.mkdir(parents=True)
    shutil.copyfile(mean_model(), path)
    (tmp_path / "exported" / other).write_text("the threshold")
    holder = open_card(path)
    with pytest.raises(FasError, match=f"{Path(other).name} of its {whole} holds the threshold, too"):
        holder.write(holder.card.calibrate(CALIBRATION), None)
