"""`fas drift OLD NEW` as a user types it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result

from fas_core.scores.table import ScoreTable

Fas = Callable[..., Result]
FAST = ("--replicates", "199")
HALF = ("--threshold", "fixed:0.5")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`may`, `june`, `july.csv`, the last of lower scores; `camera_a`, `camera_b.parquet`: frames."""
    folder, rng = tmp_path_factory.mktemp("periods"), np.random.default_rng(0)
    for name, mean in (("may", 0.7), ("june", 0.7), ("july", 0.55)):
        scores = rng.normal(mean, 0.15, 400).clip(0, 1)
        ids = [f"{name}/{at}.jpg" for at in range(400)]
        ScoreTable.of({"id": ids, "score": scores}).write(folder / f"{name}.csv")
    for name in ("a", "b"):
        person = rng.normal(0.7, 0.15, 12).repeat(30)
        columns = {"id": [f"{name}{at}" for at in range(360)], "score": person + rng.normal(0, 0.01, 360)}
        subjects = [f"{name}{at // 30}" for at in range(360)]
        ScoreTable.of({**columns, "subject": subjects}).write(folder / f"camera_{name}.parquet")
    return folder


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_no_shift(fas: Fas, files: Path) -> None:
    arguments = ["drift", files / "may.csv", files / "june.csv", *HALF, *FAST]
    result = fas(*arguments, "--fail-on-drift")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("no shift seen at a significance level of 0.05; the rej")
    assert "Scores: may (old), june (new)" in result.stdout
    assert "both: scores by file, accepted when score >= 0.5 (fixed:0.5)" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()[2:-1]) <= 80
    found = document(fas(*arguments, "--json"))
    assert (found["drift"], found["scores"]) == (False, [str(path) for path in arguments[1:3]])
    assert found["verdict"] == result.stdout.splitlines()[-1]


def test_a_shift_and_what_it_does_to_the_exit_code(fas: Fas, files: Path) -> None:
    arguments = ["drift", files / "may.csv", files / "july.csv", *HALF, *FAST]
    result = fas(*arguments)
    assert result.exit_code == 0
    said = result.stdout.splitlines()[-1]
    assert said.startswith("drift at a significance level of 0.05: scores are lower")
    assert "the rejection rate rose from" in said
    assert fas(*arguments, "--fail-on-drift").exit_code == 3
    found = document(fas(*arguments, "--json"))
    tables = [ScoreTable.read(path) for path in (files / "may.csv", files / "july.csv")]
    for period, scores in zip(("old", "new"), tables, strict=True):
        assert found["rates"]["rejected"][period]["count"] == (scores.scores < 0.5).sum()
        assert found["rates"]["rejected"][period]["total"] == 400
    assert found["shift"]["clear"] is True


def test_people_are_what_is_independent(fas: Fas, files: Path) -> None:
    pair = files / "camera_a.parquet", files / "camera_b.parquet"
    found = document(fas("drift", *pair, *HALF, *FAST, "--json"))
    assert (found["by"], found["old"]["groups"], found["drift"]) == ("subject", 12, False)
    alone = fas("drift", *pair, *HALF, *FAST, "--by", "sample", "--fail-on-drift")
    assert (alone.exit_code, "samples are taken as independent" in alone.stdout) == (3, True)


def test_too_little_to_tell_is_no_pass(fas: Fas, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("id,score\n1,0.1\n2,0.9\n")
    arguments = ["drift", tmp_path / "a.csv", tmp_path / "b.csv", *HALF, *FAST]
    assert fas(*arguments).exit_code == 0
    result = fas(*arguments, "--fail-on-drift")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("cannot tell: 2 and 2 samples are too few")


def test_what_fas_predict_writes(fas: Fas, mean_model: Callable[..., Path], tmp_path: Path) -> None:
    """The threshold is in the files, and what could not be scored is counted."""
    rng, model = np.random.default_rng(0), mean_model(threshold=0.4)
    for name, level in (("old", 140), ("new", 90)):
        (tmp_path / name).mkdir()
        for at in range(30):
            cv2.imwrite(str(tmp_path / name / f"{at:02}.png"), rng.normal(level, 20, (8, 8, 3)).clip(0, 255))
        (tmp_path / name / "99.png").write_bytes(b"")
        fas("predict", model, tmp_path / name, "--no-detect", "--csv", tmp_path / f"{name}.csv")
    arguments = ["drift", tmp_path / "old.csv", tmp_path / "new.csv", *FAST]
    found = document(fas(*arguments, "--json"))
    assert found["threshold"] == {"value": 0.4, "policy": "fixed:0.4", "source": "given"}
    with (tmp_path / "new.csv").open() as stream:
        verdicts = [row["verdict"] for row in csv.DictReader(stream)]
    assert found["rates"]["rejected"]["new"]["count"] == verdicts.count("attack") > 20
    assert found["rates"]["no_score"]["new"]["count"] == verdicts.count("") == 1
    assert "threshold is said to be 0.4, not used: 'verdict'" in fas(*arguments).stdout.splitlines()[0]
    other = document(fas(*arguments, "--threshold", "fixed:0.2", "--json"))
    assert other["threshold"]["value"] == 0.2


def test_high_for_attack_gives_the_same_rates(fas: Fas, files: Path, tmp_path: Path) -> None:
    arguments = ["drift", files / "may.csv", files / "july.csv", *HALF, *FAST, "--json"]
    plain = document(fas(*arguments))["rates"]["rejected"]
    for name in ("may", "july"):
        table = ScoreTable.read(files / f"{name}.csv").table
        rows = zip(table.column("id").to_pylist(), table.column("score").to_pylist(), strict=True)
        text = "".join(f"{key};{1 - score!r};0.5\n" for key, score in rows)
        (tmp_path / f"{name}.csv").write_text("id;p_spoof;threshold\n" + text)
    pair = [tmp_path / "may.csv", tmp_path / "july.csv", "--high-score", "attack"]
    told = document(fas("drift", *pair, *HALF, *FAST, "--json"))
    said = document(fas("drift", *pair, *FAST, "--json"))
    assert told["rates"]["rejected"] == said["rates"]["rejected"] == plain
    assert told["threshold"]["value"] == said["threshold"]["value"] == -0.5


def test_without_a_threshold(fas: Fas, files: Path) -> None:
    result = fas("drift", files / "may.csv", files / "july.csv", *FAST)
    assert result.exit_code == 0
    assert "no threshold, so no rejection rate: give --threshold fixed:VALUE" in result.stderr
    assert "drift at a significance level of 0.05: scores are lower" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{files}/may.csv", "{files}/none.csv"], "no such score file"),
        (["{files}/may.csv", "{files}/may.csv"], "given twice"),
        (["{files}/may.csv", "{files}/june.csv", "--threshold", "eer"], "there are no dev scores"),
        (["{files}/may.csv", "{files}/june.csv", "--threshold", "oracle:eer"], "there are no judged scores"),
        (["{files}/may.csv", "{files}/june.csv", "--threshold", "best"], "threshold 'best'"),
        (["{files}/may.csv", "{files}/june.csv", "--by", "video"], "of 400 of the 400 rows of may no video"),
        (["{files}/may.csv", "{files}/june.csv", "--replicates", "9"], "--replicates 9: too few"),
        (["{files}/may.csv", "{files}/june.csv", "--column", "score=prob"], "no column 'prob'"),
    ],
)
def test_a_mistake_is_one_line(fas: Fas, files: Path, arguments: list[str], said: str) -> None:
    result = fas("drift", *(text.format(files=files) for text in arguments), "--quiet")
    assert result.exit_code == 2
    assert said in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output


def test_the_help_page(fas: Fas) -> None:
    page = fas("drift", "--help").stdout
    assert "drift [OPTIONS] OLD NEW" in page
    assert "--fail-on-drift" in page
    assert "--dev" not in page


def test_files_of_two_thresholds(fas: Fas, tmp_path: Path) -> None:
    for name, cut in (("a", 0.4), ("b", 0.6)):
        rows = "".join(f"{at},{at / 40},{cut}\n" for at in range(40))
        (tmp_path / f"{name}.csv").write_text(f"id,score,threshold\n{rows}")
    arguments = ["drift", tmp_path / "a.csv", tmp_path / "b.csv", *FAST]
    refused = fas(*arguments)
    assert refused.exit_code == 2
    assert "the files contain 2 thresholds (0.4, 0.6): give --threshold fixed:VALUE" in refused.stderr
    assert fas(*arguments, *HALF).exit_code == 0


def test_nothing_heavy_is_imported(files: Path) -> None:
    arguments = ["drift", str(files / "may.csv"), str(files / "july.csv"), *HALF, *FAST]
    code = (
        "import sys; from fas_core.cli import main\n"
        f"main({arguments}, standalone_mode=False)\n"
        "print({'torch', 'cv2', 'sklearn', 'scipy', 'matplotlib', 'onnxruntime'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
