"""`fas data split` as a user types it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Fas = Callable[..., Result]


@pytest.fixture
def flat(faces: Path, tmp_path: Path) -> Path:
    """`real/` and `spoof/` without splits, their photos named after four people."""
    for name, folder in (("live", "real"), ("attack/print", "spoof/print")):
        for index, path in enumerate(sorted((faces / "train" / name).iterdir())):
            photo = tmp_path / "photos" / folder / f"p{index % 4}-{index}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, photo)
    return tmp_path / "photos"


def test_a_flat_folder_becomes_a_manifest_to_train_on(fas: Fas, flat: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "split.csv"
    arguments = ("--by", "subject", "--pattern", r"/(p\d)-", "--fractions", 0.5, 0.25, 0.25, "-o", manifest)
    result = fas("data", "split", flat, *arguments)
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["split", "subjects", "live", "attack", "attack:", "print"] in rows
    assert [row[:2] for row in rows if row[0] in ("train", "dev", "test")] == [
        ["train", "2"],
        ["dev", "1"],
        ["test", "1"],
    ]
    with manifest.open() as stream:
        table = list(csv.DictReader(stream))
    assert len({(row["subject"], row["split"]) for row in table}) == 4
    assert table[0]["rgb"].startswith("photos/")
    check = fas("data", "check", manifest)
    assert check.exit_code == 0, check.output
    assert f"{len(table)} image files read" in check.stdout


def test_training_on_a_flat_folder_points_to_it(fas: Fas, flat: Path) -> None:
    result = fas("train", "nuaa-feathernet-b", "--data", flat)
    assert result.exit_code == 2
    assert "has no train split (it has test): `fas data split` makes splits" in result.stderr


def test_unknown_people_are_warned_of_also_in_json(fas: Fas, flat: Path, tmp_path: Path) -> None:
    result = fas("data", "split", flat, "--by", "sample", "-o", tmp_path / "split.csv", "--json")
    document = json.loads(result.stdout)
    assert [warning[:28] for warning in document["warnings"]] == ["the subjects are not known: "]
    assert "samples of one person may be in two splits" in result.stderr
    assert sum(counts["samples"] for counts in document["splits"].values()) == len(list(flat.rglob("*.png")))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "subject", "-o", "x.csv"], "subject is not known of"),
        (["--by", "sample", "-o", "x.txt"], "-o x.txt: name a .csv file"),
        (["--by", "sample", "-o", "x.csv", "--fractions", "0.5", "0.5", "0.5"], "must be 1 together"),
        (
            ["--by", "sample", "-o", "x.csv", "--fractions", "0", "0.5", "0.5"],
            "must be 1 together, train > 0",
        ),
    ],
)
def test_mistakes_are_one_line(fas: Fas, flat: Path, arguments: list[str], message: str) -> None:
    result = fas("data", "split", flat, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_splits_that_exist_are_joined_with_a_warning(fas: Fas, faces: Path, tmp_path: Path) -> None:
    result = fas("data", "split", faces, "--by", "sample", "-o", tmp_path / "split.csv")
    assert result.exit_code == 0, result.output
    assert "has splits: train, dev, test are joined and divided anew" in result.stderr
