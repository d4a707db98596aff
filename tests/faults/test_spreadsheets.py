"""Cells that a spreadsheet would take for formulas are written as they are, in CSV and in JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result

from fas_core.scores.files import read_scores
from fas_core.scores.table import ScoreTable

Fas = Callable[..., Result]
IDS = ["=1+1", "+a", "-b", "@SUM(A1)", '=HYPERLINK("x,y")', "=cmd|' /C calc'!A0"]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A score file of these ids."""
    columns = {
        "id": IDS,
        "score": np.linspace(0, 1, len(IDS)),
        "label": [0, 1] * 3,
        "species": ["@x", None] * 3,
    }
    ScoreTable.of(columns).write(tmp_path / "scores.csv")
    return tmp_path / "scores.csv"


def read_column(path: Path, name: str) -> list[str]:
    with path.open(newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_a_score_file_has_the_ids_as_they_are(scores: Path) -> None:
    assert read_column(scores, "id") == IDS
    assert read_column(scores, "species")[0] == "@x"
    assert ScoreTable.read(scores).table.column("id").to_pylist() == IDS
    assert read_scores(scores).table.table.column("id").to_pylist() == IDS


def test_an_ensemble_writes_them_as_they_are(scores: Path, fas: Fas, tmp_path: Path) -> None:
    other = scores.with_name("other.csv")
    other.write_bytes(scores.read_bytes())
    result = fas("ensemble", scores, other, "-o", tmp_path / "out.csv", "--replicates", "0", "--json")
    assert result.exit_code == 0, result.output
    assert read_column(tmp_path / "out.csv", "id") == IDS


def test_a_manifest_has_the_names_of_files_as_they_are(fas: Fas, tmp_path: Path) -> None:
    names = ["=1+1.png", "+a.png", "-b.png", "@c.png"]
    for folder in ("live", "attack"):
        (tmp_path / "photos" / folder).mkdir(parents=True)
        for name in names:
            cv2.imwrite(str(tmp_path / "photos" / folder / name), np.zeros((8, 8, 3), np.uint8))
    manifest = tmp_path / "photos" / "split.csv"
    result = fas("data", "split", tmp_path / "photos", "--by", "sample", "-o", manifest)
    assert result.exit_code == 0, result.output
    paths = read_column(manifest, "rgb")
    assert sorted(paths) == sorted(f"{folder}/{name}" for folder in ("live", "attack") for name in names)


def test_a_json_document_has_them_too(scores: Path, fas: Fas) -> None:
    result = fas("score", scores, "--threshold", "fixed:0.5", "--replicates", "0", "--json")
    assert result.exit_code == 0, result.output
    assert "@x" in json.dumps(json.loads(result.stdout))
