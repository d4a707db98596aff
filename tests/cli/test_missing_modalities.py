"""A model trained to do without some modalities, from training to the exported graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result

from fas_core.cli import main
from fas_core.scores.table import ScoreTable

Fas = Callable[..., Result]
SUBSETS = ["rgb+depth", "rgb", "depth"]


def write_manifest(root: Path) -> Path:
    """Twelve live samples and twelve attacks a split, told apart by either modality."""
    rng, rows = np.random.default_rng(7), ["rgb,depth,label,species,split"]
    for split in ("train", "dev", "test"):
        for label, species, level in ((1, "live", 170), (0, "print", 60)):
            for number in range(12):
                names = [f"{split}-{species}-{number}-{modality}.png" for modality in ("rgb", "depth")]
                for name in names:
                    face = rng.normal(level, 20, (48, 48, 3)).clip(0, 255).astype(np.uint8)
                    cv2.imwrite(str(root / name), face)
                rows.append(f"{names[0]},{names[1]},{label},{species},{split}")
    (root / "faces.csv").write_text("\n".join(rows) + "\n")
    return root / "faces.csv"


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_manifest(tmp_path_factory.mktemp("paired"))


@pytest.fixture(scope="module")
def gappy(faces: Path) -> Path:
    """The same, but every third sample lacks its depth."""
    head, *rows = faces.read_text().splitlines()
    lines = [row if place % 3 else row.replace(row.split(",")[1], "") for place, row in enumerate(rows)]
    path = faces.with_name("gappy.csv")
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def train(faces: Path, folder: Path, dropout: float) -> Path:
    recipe = {
        "data": {"name": "manifest", "root": str(faces)},
        "modalities": ["rgb", "depth"],
        "model": {"backbone": "feathernet_a", "fusion": "concat_linear", "input_size": 64},
        "augment": {"crop_scale": [0.5, 1.0]},
        "train": {
            "epochs": 8,  # until scores lie further apart than what an export may change
            "batch_size": 8,
            "workers": 0,
            "device": "cpu",
            "modality_dropout": dropout,
        },
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    result = CliRunner().invoke(main, ["train", str(folder / "tiny.yaml"), "--runs", str(folder)])
    assert result.exit_code == 0, result.output
    return folder / "tiny"


@pytest.fixture(scope="module")
def run(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(faces, tmp_path_factory.mktemp("run"), 0.4)


@pytest.fixture(scope="module")
def model(run: Path) -> Path:
    result = CliRunner().invoke(main, ["export", str(run), "--keep-data-root"])
    assert result.exit_code == 0, result.output
    return run / "model.onnx"


def test_every_subset_is_judged_at_the_one_threshold(fas: Fas, run: Path, model: Path) -> None:
    rows = json.loads(fas("eval", run, "--subsets", "--json").stdout)["subsets"]
    assert [row["name"] for row in rows] == SUBSETS
    assert len({row["threshold"]["value"] for row in rows}) == 1
    assert len({tuple(row["metrics"].values()) for row in rows}) > 1
    whole = json.loads(fas("eval", run, "--json").stdout)
    assert rows[0]["metrics"] == whole["metrics"]
    printed = fas("eval", model, "--subsets").stdout
    assert all(name in printed for name in SUBSETS)


@pytest.mark.parametrize("given", SUBSETS)
def test_the_exported_graph_agrees_on_every_subset(
    fas: Fas, run: Path, model: Path, given: str, tmp_path: Path
) -> None:
    scores = []
    for target in (run, model):
        path = tmp_path / f"{target.name}.csv"
        result = fas("eval", target, "--modalities", given.replace("+", ","), "--scores", path)
        assert result.exit_code == 0, result.output
        scores.append(ScoreTable.read(path))
    assert set(scores[0].table.column("modalities").to_pylist()) == {given}
    assert scores[0].scores == pytest.approx(scores[1].scores, abs=1e-5)


def test_samples_that_lack_a_modality_are_scored(
    fas: Fas, run: Path, model: Path, gappy: Path, tmp_path: Path
) -> None:
    for target in (run, model):
        result = fas("eval", target, "--data", gappy, "--scores", tmp_path / f"{target.suffix}.csv")
        assert result.exit_code == 0, result.output
    lines = (tmp_path / ".csv").read_text().splitlines()
    assert "modalities" in lines[0]
    assert sum('"rgb"' in line for line in lines) == 8
    assert fas("eval", run, "--modalities", "depth", "--json").exit_code == 0


def test_any_other_model_refuses(fas: Fas, faces: Path, gappy: Path, tmp_path: Path) -> None:
    other = train(faces, tmp_path, 0.0)
    for arguments, said in (
        (("--data", gappy), "8 of 24 samples have no 'depth' image"),
        (("--modalities", "rgb"), "needs all of rgb, depth: only one trained with train.modality_dropout"),
        (("--subsets",), "needs all of rgb, depth"),
    ):
        result = fas("eval", other, *arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stderr.strip().count("\n") == 0


def test_flags_that_do_not_go_together(fas: Fas, run: Path, tmp_path: Path) -> None:
    for arguments in (("--modalities", "rgb"), ("--scores", tmp_path / "scores.csv")):
        assert fas("eval", run, "--subsets", *arguments).exit_code == 2
