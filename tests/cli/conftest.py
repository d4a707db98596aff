"""A trained run of a tiny data set."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from fas_core.cli import main

RECIPE = {
    "modalities": ["rgb"],
    "model": {"backbone": "feathernet_a", "fusion": "single", "input_size": 64},
    "augment": {"crop_scale": [0.5, 1.0]},
    "train": {"epochs": 1, "batch_size": 8, "workers": 0, "device": "cpu", "lr": 0.02},
}


def face(level: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(level, 20, (48, 48, 3)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a `folder` data set: live is bright, prints and replays are dark."""
    root, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(7)
    for split in ("train", "dev", "test"):
        for kind, level, count in (("live", 170, 12), ("attack/print", 80, 6), ("attack/replay", 60, 6)):
            folder = root / split / kind
            folder.mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(folder / f"{number:02}.png"), face(level, rng))
    return root


@pytest.fixture(scope="session")
def recipe_file(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that trains on them for one short epoch."""
    path = tmp_path_factory.mktemp("recipes") / "tiny.yaml"
    path.write_text(yaml.safe_dump({"data": {"name": "folder", "root": str(faces)}, **RECIPE}))
    return path


@pytest.fixture(scope="session")
def trained(recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder; do not change it."""
    runs = tmp_path_factory.mktemp("runs")
    arguments = ["train", str(recipe_file), "--runs", str(runs), "--epochs", "6", "-q"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return runs / "tiny"


@pytest.fixture(scope="session")
def cefa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CeFA's challenge layout: 4 videos of 3 frames for each sub-protocol and split, with labels."""
    root, rng = tmp_path_factory.mktemp("cefa"), np.random.default_rng(3)
    for number in (1, 2, 3):
        for split, phase, listed in (("train", 1, "train"), ("dev", 1, "dev_ref"), ("test", 2, "test_ref")):
            lines: list[str] = []
            for person in range(4):
                live = person % 2
                name = (
                    f"{number}_00{person}_1_1_{1 if live else 3}"
                    if split == "train"
                    else f"{number}{person:05}"
                )
                for frame in (1, 2, 3):
                    image = root / f"phase{phase}" / split / name / "profile" / f"{frame:04}.jpg"
                    image.parent.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(image), face(150 if live else 90, rng))
                    lines += [f"{split}/{name}/profile/{image.name} {live}"] * (split == "train")
                lines += [f"{split}/{name} {live}"] * (split != "train")
            file = root / f"phase{phase}" / f"4@{number}_{listed}.txt"
            file.write_text("".join(f"{line}\n" for line in lines))
    return root


CEFA = ("--input-size", "32", "-b", "4", "--set", "loss.gamma=2")


@pytest.fixture(scope="session")
def trained_set(recipe_file: Path, cefa: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three runs, one a sub-protocol of CeFA; do not change it."""
    runs = tmp_path_factory.mktemp("runs")
    arguments = ["train", str(recipe_file), "--data", str(cefa), "--protocol", "cefa-4", *CEFA]
    result = CliRunner().invoke(main, [*arguments, "--runs", str(runs), "--name", "three", "-q"])
    assert result.exit_code == 0, result.output
    return runs / "three"
