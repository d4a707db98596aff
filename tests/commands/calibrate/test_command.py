"""`fas calibrate`, with models whose score is the mean of the pixels / 255."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from attrs import evolve
from click.testing import Result

from fas_core.runtime.model_file import ModelFile
from fas_core.scores.rejection import RejectBand
from fas_core.scores.thresholds import Threshold
from fas_plugins.commands.calibrate.cards import open_card

Fas = Callable[..., Result]
MeanModel = Callable[..., Path]
FAST = ("--no-detect", "--json")


def write_people(folder: Path, levels: dict[str, Sequence[int]]) -> Path:
    """Write a folder of grey photos for each person."""
    for person, values in levels.items():
        (folder / person).mkdir(parents=True)
        for number, level in enumerate(values):
            image = np.full((20, 20, 3), level, np.uint8)
            assert cv2.imwrite(str(folder / person / f"{number:02}.png"), image)
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Three people, darker than the models' threshold of 0.5."""
    return write_people(tmp_path / "site", {"ann": [100, 110], "bob": [90, 95, 105], "cy": [120]})


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def test_a_file_is_calibrated_shown_and_restored(fas: Fas, mean_model: MeanModel, site: Path) -> None:
    path = mean_model()
    before = ModelFile(path).card
    result = document(fas("calibrate", path, site, *FAST))
    card = ModelFile(path).card
    assert card.threshold is not None
    assert card.calibration is not None
    assert card.threshold.value == pytest.approx(90 / 255)  # no card of medians: the quantile
    assert (card.threshold.policy, card.calibration.rule) == ("calibrated:0.05", "quantile")
    assert card.threshold.source == f"3 people, {card.calibration.date}"
    assert (card.calibration.photos, card.calibration.people) == (6, 3)
    assert card.calibration.shipped == before.threshold
    assert card.calibration.interval == (0.0, pytest.approx(1 - 0.025 ** (1 / 3)))
    change = result["changes"][0]
    assert (change["name"], change["rate"], change["samples"]) == ("site", "BPCER", 6)
    assert (change["shipped"], change["calibrated"]) == (1, 0)
    assert "takes photos of 59 people" in result["notes"][0]
    shown = fas("calibrate", "--show", path)
    assert "by the rule quantile" in shown.stdout
    assert "shipped: accepted when score >= 0.5 (fixed:0.5)" in shown.stdout
    fas("calibrate", "--undo", path)
    assert ModelFile(path).card == before
    assert fas("calibrate", "--undo", path).exit_code == 2


def test_files_need_no_torch(mean_model: MeanModel, site: Path) -> None:
    path = mean_model()
    absent = "import sys; sys.modules.update(torch=None, onnx=None, sklearn=None)"
    command = [sys.executable, "-c", f"{absent}; from fas_core.cli import main; main()", "calibrate"]
    subprocess.run([*command, path, site, "--no-detect"], check=True, capture_output=True, timeout=60)
    threshold = ModelFile(path).card.threshold
    assert threshold is not None
    assert threshold.calibrated


def test_uncertain_scores_go_with_the_shipped_threshold(fas: Fas, mean_model: MeanModel, site: Path) -> None:
    path = mean_model()
    holder = open_card(path)
    shipped = Threshold(0.5, "fixed:0.5", "given", RejectBand(0.45, 0.55, "0.45:0.55", "given"))
    holder.write(evolve(holder.card, threshold=shipped), None)
    result = document(fas("calibrate", path, site, *FAST))
    card = ModelFile(path).card
    assert card.threshold is not None
    assert card.threshold.reject is None
    assert result["notes"][-1].startswith("the uncertain scores were around the shipped threshold")
    fas("calibrate", "--undo", path)
    assert ModelFile(path).card.threshold == shipped


def test_undo_restores_the_shipped_threshold_of_two_calibrations(
    fas: Fas, mean_model: MeanModel, site: Path
) -> None:
    path = mean_model()
    for bpcer in (0.05, 0.4):
        document(fas("calibrate", path, site, "--bpcer", bpcer, *FAST))
    document(fas("calibrate", "--undo", path, "--json"))
    threshold = ModelFile(path).card.threshold
    assert threshold is not None
    assert threshold.value == 0.5


def test_verdicts_follow_the_calibrated_threshold(fas: Fas, mean_model: MeanModel, site: Path) -> None:
    path = mean_model()
    assert document(fas("predict", path, site, *FAST))["counts"]["live"] == 0
    document(fas("calibrate", path, site, *FAST))
    assert document(fas("predict", path, site, *FAST))["counts"]["live"] == 6


def test_attacks_are_looked_at_and_not_calibrated_on(
    fas: Fas, mean_model: MeanModel, site: Path, tmp_path: Path
) -> None:
    attacks = write_people(tmp_path / "prints", {"ann": [60, 92]})
    result = document(fas("calibrate", mean_model(), site, "--attacks", attacks, *FAST))
    assert [change["rate"] for change in result["changes"]] == ["BPCER", "APCER"]
    assert (result["changes"][1]["samples"], result["changes"][1]["calibrated"]) == (2, 0.5)
    assert result["calibration"]["attacks"] == 2
    write_people(site / "attack", {"bob": [70, 80, 91, 92]})
    within = document(fas("calibrate", mean_model(), site, *FAST))
    assert within["calibration"]["threshold"]["value"] == pytest.approx(90 / 255)
    assert (within["calibration"]["attacks"], within["calibration"]["people"]) == (4, 3)


def test_a_manifest_names_the_people(fas: Fas, mean_model: MeanModel, site: Path) -> None:
    rows = [f"{path.relative_to(site)},{path.parent.name[:1]}\n" for path in sorted(site.glob("*/*.png"))]
    (site / "people.csv").write_text("rgb,subject\n" + "".join(rows))
    result = document(fas("calibrate", mean_model(), site / "people.csv", *FAST))
    assert (result["calibration"]["people"], result["calibration"]["photos"]) == (3, 6)


def test_photos_of_unknown_people_promise_nothing(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    site = tmp_path / "flat"
    site.mkdir()
    for number in range(70):
        assert cv2.imwrite(str(site / f"{number:02}.png"), np.full((20, 20, 3), 100 + number, np.uint8))
    result = document(fas("calibrate", mean_model(), site, *FAST))
    assert (result["calibration"]["people"], result["calibration"]["confidence"]) == (0, None)
    assert any("people are not known" in note for note in result["notes"])
    forced = document(fas("calibrate", mean_model(), site, "--rule", "conformal", *FAST))
    assert forced["calibration"]["confidence"] >= 0.95
    assert "if each is of another person" in forced["notes"][0]


def test_enough_people_are_promised_the_target(fas: Fas, mean_model: MeanModel, tmp_path: Path) -> None:
    site = write_people(tmp_path / "site", {f"p{number}": [100 + number] for number in range(59)})
    result = document(fas("calibrate", mean_model(), site, *FAST))
    calibration = result["calibration"]
    assert calibration["rule"] == "conformal"
    assert calibration["confidence"] == pytest.approx(1 - 0.95**59)
    assert calibration["threshold"]["value"] == pytest.approx(100 / 255)


def test_a_model_of_another_program_is_calibrated_beside_its_file(
    fas: Fas, foreign_model: tuple[Path, Path], site: Path, tmp_path: Path
) -> None:
    model, terms = foreign_model
    content = model.read_bytes()
    document(fas("calibrate", model, site, "--foreign", terms, *FAST))
    assert model.read_bytes() == content
    assert (tmp_path / "foreign.onnx.calibration.json").is_file()
    predicted = document(fas("predict", model, site, "--foreign", terms, *FAST))
    assert predicted["threshold"]["policy"] == "calibrated:0.05"
    model.write_bytes(content + b"\x72\x00")  # another file: an empty entry of metadata
    other = fas("predict", model, site, "--foreign", terms, *FAST)
    assert (other.exit_code, "is of another model" in other.stderr) == (2, True)
    model.write_bytes(content)
    document(fas("calibrate", "--undo", model, "--foreign", terms, "--json"))
    assert not (tmp_path / "foreign.onnx.calibration.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "missing argument SITE_PHOTOS"),
        (("--show", "--undo"), "give one of them"),
        (("SITE", "--undo"), "take MODEL alone"),
        (("SITE", "--rule", "conformal"), "takes photos of 59 people, and there are 3 people"),
        (("SITE", "--rule", "blend"), "no live medians of people"),
        (("SITE", "-o", "copy.xml"), r"must be a file named *.onnx"),
        (("SITE", "--bpcer", "1"), "bpcer"),
    ],
)
def test_mistakes_are_one_line(
    fas: Fas, mean_model: MeanModel, site: Path, arguments: Sequence[str], message: str
) -> None:
    words = [str(site) if word == "SITE" else word for word in arguments]
    result = fas("calibrate", mean_model(), *words, "--no-detect")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert message in result.stderr


@pytest.fixture
def foreign_model(mean_model: MeanModel, tmp_path: Path) -> tuple[Path, Path]:
    """A model file without a card that gives the mean of its pixels, and its description."""
    import onnx

    model = onnx.load(mean_model())
    del model.metadata_props[:]
    path, terms = tmp_path / "foreign.onnx", tmp_path / "terms.yaml"
    onnx.save(model, path)
    terms.write_text("modalities: [rgb]\ninput_size: 8\nchannels: rgb\ngives: score\nthreshold: 0.5\n")
    return path, terms
