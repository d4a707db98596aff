"""`fas report --group-by`: where a column is found, and what the page, the document and errors say."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from fas_core.scores.table import ScoreTable

Fas = Callable[..., Result]
FEW = ("--replicates", "20", "--worst", "0", "--threshold", "fixed:0.5")


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    """40 people, each with two live samples and two prints; of the dark half most are refused."""
    rows = ["id,score,label,species,subject,skin_tone,site"]
    for person in range(40):
        tone = "dark" if person % 2 else "light"
        refused = person % 2 and person % 5
        for kind in ("live", "print"):
            score = 0.9 if kind == "live" and not refused else 0.1
            for at in range(2):
                label = int(kind == "live")
                rows.append(f"{person}-{kind}-{at},{score},{label},{kind},{person},{tone},site{person}")
    path = tmp_path / "vendor.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_any_column_of_a_score_file(fas: Fas, vendor: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    result = fas("report", vendor, "-o", output, "--group-by", "skin_tone", "--json", *FEW)
    assert result.exit_code == 0, result.output
    (system,) = json.loads(result.stdout)["systems"]
    groups = system["groups"]
    assert (groups["by"], groups["clusters"], groups["unknown"]) == ("skin_tone", "subject", 0)
    assert [found["name"] for found in groups["results"]] == ["dark", "light"]
    found = {(item["group"], item["rate"]): item for item in groups["differences"]}
    assert (found["dark", "bpcer"]["wrong"], found["dark", "bpcer"]["total"]) == (32, 40)
    assert found["dark", "bpcer"]["clusters"] == 20
    assert found["dark", "bpcer"]["verdict"] == "higher"
    assert found["light", "bpcer"]["verdict"] == "lower"
    assert found["dark", "apcer"]["verdict"] == "no clear difference"
    told = fas("report", vendor, "-o", output, "--group-by", "skin_tone", *FEW).stdout
    assert "vendor: skin_tone dark: BPCER 80 %, higher than the 0 % of all others (p <0.001)" in told
    assert "APCER" not in told.partition("skin_tone dark")[2]
    page = output.read_text(encoding="utf-8")
    assert 'href="#groups"' in page
    for text in (
        "vendor by skin_tone",
        "32 of 40",
        "+80.00",
        "permutation test of people",
        "Holm&#39;s method",
    ):
        assert text in page


def test_a_column_of_the_manifest(fas: Fas, trained: Path, tmp_path: Path) -> None:
    """Of a run on a manifest, and by `--data`; samples without a value are left out and counted."""
    scores = ScoreTable.read(trained / "scores" / "test.csv").table
    manifest = tmp_path / "manifest.csv"
    with manifest.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "path", "split", "label", "species", "Lighting"])
        for at, (name, label, species) in enumerate(
            zip(*(scores.column(key).to_pylist() for key in ("id", "label", "species")), strict=True)
        ):
            table.writerow([name, f"{at}.png", "test", label, species, ["indoors", "outdoors", ""][at % 3]])
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("*.safetensors", "*.pt", "results.json"))
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    recipe["data"] = {"name": "manifest", "root": str(manifest)}
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    report = ("-o", tmp_path / "report.html", "--group-by", "Lighting", "--json", *FEW)
    by_run = json.loads(fas("report", run, *report).stdout)["systems"][0]["groups"]
    assert [found["name"] for found in by_run["results"]] == ["indoors", "outdoors"]
    assert by_run["unknown"] == len(scores) // 3
    by_data = json.loads(fas("report", trained / "scores/test.csv", "--data", manifest, *report).stdout)
    assert by_data["systems"][0]["groups"] == by_run


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("skin", "--group-by skin: no such column (there are: species, subject, skin_tone, site)"),
        ("device", "--group-by device: the column is empty"),
        ("score", "--group-by score: no such column"),
    ],
)
def test_a_column_that_is_none(fas: Fas, vendor: Path, tmp_path: Path, column: str, message: str) -> None:
    result = fas("report", vendor, "-o", tmp_path / "report.html", "--group-by", column, *FEW)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "report.html").exists()
