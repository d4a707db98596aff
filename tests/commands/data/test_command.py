"""`fas data` as a user types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from click.testing import Result

from fas_core.config.load import load_recipe
from fas_core.data.images import read_image

Fas = Callable[..., Result]


@pytest.fixture
def copied(faces: Path, tmp_path: Path) -> Path:
    """The tiny data set, to be spoilt."""
    return Path(shutil.copytree(faces, tmp_path / "faces"))


def test_check_counts_and_finds_nothing(fas: Fas, faces: Path) -> None:
    result = fas("data", "check", faces)
    assert result.exit_code == 0, result.output
    assert f"{faces}: sound" in result.stdout
    assert "72 image files read" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["split", "label", "species", "samples", "rgb"] in lines
    assert ["train", "attack", "replay", "6", "6"] in lines
    assert result.stderr == ""


def test_check_of_several_as_json(fas: Fas, faces: Path, copied: Path) -> None:
    (copied / "test/live/00.png").write_bytes((copied / "train/live/00.png").read_bytes())
    (copied / "dev/live/03.png").write_bytes(b"nonsense")
    result = fas("data", "check", faces, f"folder:{copied}", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found[str(faces)]["ok"] is True
    report = found[f"folder:{copied}"]
    assert report["ok"] is False
    assert report["problems"][0].startswith(f"{copied}/dev/live/03.png: cannot be decoded")
    assert report["problems"][1] == "train and test share 1 identical file: train/live/00 = test/live/00"
    assert {
        "split": "train",
        "label": "live",
        "species": "live",
        "samples": 12,
        "modalities": {"rgb": 12},
        "people": 0,
    } in report["counts"]


def test_check_says_what_is_wrong_and_exits_1(fas: Fas, copied: Path) -> None:
    (copied / "train/live/00.png").write_bytes(b"")
    result = fas("data", "check", copied)
    assert result.exit_code == 1
    assert "1 problem" in result.stdout
    assert "train/live/00.png: the image is empty (0 bytes): copy it again" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["check", "nowhere"],
            "error: nowhere: neither a data set (known: casia_surf, cefa, celeba_spoof, folder, ",
        ),
        (["check", "casia_surf"], "error: data set 'casia_surf': say where it lies, as casia_surf:ROOT"),
        (["stats", "synthetic", "--set", "people=3"], "error: synthetic: people: unknown key"),
        (["show", "nuaa:none", "-o", "sheet.png"], "error: none: no such file or folder"),
        (["crop", "nowhere", "dst"], "error: nowhere: neither a data set"),
        (["crop", ".", "dst", "--detector", "none.onnx"], "error: none.onnx: no such detector"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    fas: Fas, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = fas("data", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_stats_can_be_pasted_into_a_recipe(fas: Fas, faces: Path, recipe_file: Path, tmp_path: Path) -> None:
    result = fas("data", "stats", faces, "--size", 48)
    assert result.exit_code == 0, result.output
    pixels = (
        np.stack([cv2.imread(str(path))[3:45, 3:45, ::-1] for path in faces.glob("train/**/*.png")]) / 255
    )
    said = yaml.safe_load(result.stdout)["model"]["normalize"]["rgb"]
    np.testing.assert_allclose(said["mean"], pixels.mean(axis=(0, 1, 2)), atol=0.01)
    pasted = tmp_path / "pasted.yaml"
    pasted.write_text(f"extends: {recipe_file}\n{result.stdout}")
    from fas_core.registry import registry

    assert list(load_recipe(str(pasted), registry()).model.normalize["rgb"].std) == said["std"]


def test_stats_as_json(fas: Fas, faces: Path) -> None:
    found = json.loads(fas("data", "stats", faces, "--split", "dev", "--size", "48", "--json").stdout)
    assert (found["split"], found["samples"]) == ("dev", 24)
    assert len(found["model"]["normalize"]["rgb"]["mean"]) == 3


def test_crop_of_photos_without_faces(fas: Fas, faces: Path, tmp_path: Path) -> None:
    """Noise holds no face: nothing is cropped, and every photo is named."""
    result = fas("data", "crop", faces / "test/live", tmp_path / "crops", "--size", "64", "-j", "1", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["crops"] == 0
    assert found["no_face"][:2] == ["00.png", "01.png"]
    again = fas("data", "crop", faces / "test/live", tmp_path / "crops", "--size", "64")
    assert "0 crops (12 photos were done before), 12 photos without a face" in again.stdout
    other = fas("data", "crop", faces / "test/live", tmp_path / "crops", "--size", "96")
    assert other.exit_code == 2
    assert "was cropped with" in other.stderr


def test_make_then_show(fas: Fas, tmp_path: Path) -> None:
    small = ["--set", "subjects=9", "--set", "shots=1", "--set", "size=48"]
    made = fas("data", "make", tmp_path / "made", *small, "--json")
    assert made.exit_code == 0, made.output
    document = json.loads(made.stdout)
    assert document["root"] == str(tmp_path / "made")
    assert document["splits"]["train"]["live"] > 0
    shown = fas(
        "data", "show", f"casia_surf:{tmp_path / 'made'}", "-o", tmp_path / "out/sheet.png", "-n", "2"
    )
    assert shown.exit_code == 0, shown.output
    assert read_image(tmp_path / "out/sheet.png").shape[1] > 2 * 3 * 112
    refused = fas("data", "make", tmp_path / "made", "--set", "subjects=12")
    assert refused.exit_code == 2


def test_show_writes_images_only(fas: Fas, faces: Path, tmp_path: Path) -> None:
    result = fas("data", "show", faces, "-o", tmp_path / "sheet.txt")
    assert result.exit_code == 2
    assert "sheet.txt: name an image file, e.g. sheet.png" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_check_reads_folders_of_other_names_whole(fas: Fas, copied: Path) -> None:
    """What has thirty files is not sound with twenty: see `faces`, 72 files, renamed."""
    names = {"train": "training", "dev": "valid", "test": "eval"}
    for old, new in names.items():
        (copied / old / "live").rename(copied / old / "genuine")
        (copied / old / "attack").rename(copied / old / "spoof")
        (copied / old).rename(copied / new)
    result = fas("data", "check", copied)
    assert result.exit_code == 0, result.output
    assert "72 image files read" in result.stdout
    assert "note: read 'training' as 'train', 'valid' as 'dev', 'eval' as 'test'" in result.stdout
    (copied / "eval").rename(copied / "holdout")
    refused = fas("data", "check", copied)
    assert refused.exit_code == 1
    assert f"{copied}: 2 problems" in refused.stdout
    assert "holdout/: 24 images of no known split" in refused.stderr
