"""`fas eval` on several data sets at once: one threshold, one table."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result

Fas = Callable[..., Result]
FAST = ("--replicates", "0")


@pytest.fixture(scope="module")
def model(fas_once: Fas, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    result = fas_once("export", trained, "-o", path, "--keep-data-root")
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="module")
def fas_once() -> Fas:
    from click.testing import CliRunner

    from fas_core.cli import main

    return lambda *arguments: CliRunner().invoke(main, [str(text) for text in arguments])


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`harbour/` and `office/`: the test split alone, 5 live, 4 prints; and `photos.csv`, without labels."""
    root, rng = tmp_path_factory.mktemp("others"), np.random.default_rng(9)
    for name, live in (("harbour", 165), ("office", 120)):
        for kind, level, count in (("live", live, 5), ("attack/print", 75, 4)):
            folder = root / name / "test" / kind
            folder.mkdir(parents=True)
            for number in range(count):
                image = rng.normal(level, 20, (48, 48, 3)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"{number}.png"), image)
    photos = sorted((root / "office").rglob("*.png"))
    rows = "".join(f"{number},{path}\n" for number, path in enumerate(photos))
    (root / "photos.csv").write_text("id,rgb\n" + rows)
    return root


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.usefixtures("all_replicates")
def test_a_row_for_each_at_one_threshold(fas: Fas, trained: Path, faces: Path, others: Path) -> None:
    data = ["--data", others / "harbour", "--data", others / "office"]
    found = document(fas("eval", trained, *data, "--json"))
    assert [row["name"] for row in found["data"]] == ["own", "harbour", "office"]
    assert [row["samples"] for row in found["data"]] == [24, 9, 9]
    assert [row["seen"] for row in found["data"]] == [True, False, False]
    assert found["data"][1]["data"] == f"folder:{others / 'harbour'}"
    stored = json.loads((trained / "results.json").read_text())["splits"]["test"]
    for row in found["data"]:
        assert row["threshold"] == stored["threshold"]
        assert row["intervals"]["replicates"] == 1000
    assert found["data"][0]["metrics"] == stored["metrics"]
    for spec, row in zip(data[1::2], found["data"][1:], strict=True):
        alone = document(fas("eval", trained, "--data", spec, "--json"))
        assert row["metrics"] == alone["metrics"]
        assert row["counts"] == alone["counts"]
    assert found["notes"] == [
        f"own: folder:{faces}, on whose train split the model was trained",
        f"the threshold is fitted on the dev split of folder:{faces}",
        "never seen in training: harbour, office",
    ]


def test_the_table(fas: Fas, trained: Path, others: Path) -> None:
    result = fas("eval", trained, "--data", others / "harbour", "--data", others / "office", *FAST)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Rates in %, accepted when score >= ")
    assert lines[0].endswith("(eer on dev)")
    assert lines[1].split() == ["APCER", "APCER", "ACER"]
    assert lines[2].split() == ["samples", "EER", "worst", "pooled", "BPCER", "pooled", "AUC"]
    assert [line.split()[:2] for line in lines[3:6]] == [["own", "24"], ["harbour", "9"], ["office", "9"]]
    found = document(fas("eval", trained, "--data", others / "harbour", *FAST, "--json"))["metrics"]
    shown = [f"{100 * found[key]:.2f}" for key in ("eer", "apcer_max", "apcer", "bpcer", "acer", "auc")]
    assert lines[4].split()[2:] == shown
    assert "never seen in training: harbour, office" in lines


def test_an_exported_model_gives_the_same(fas: Fas, trained: Path, model: Path, others: Path) -> None:
    data = ["--data", others / "harbour", "--data", others / "office", *FAST]
    tables = [fas("eval", path, *data).stdout.partition("next:")[0] for path in (model, trained)]
    assert tables[0] == tables[1]


def test_its_own_data_are_first_even_when_named(fas: Fas, trained: Path, faces: Path, others: Path) -> None:
    found = document(
        fas("eval", trained, "--data", others / "harbour", "--data", f"folder:{faces}/", *FAST, "--json")
    )
    assert [(row["name"], row["seen"]) for row in found["data"]] == [("own", True), ("harbour", False)]


def test_without_its_own_data(
    fas: Fas, model: Path, faces: Path, others: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = faces.with_name("moved")
    faces.rename(away)
    try:
        found = document(
            fas("eval", model, "--data", others / "harbour", "--data", others / "office", *FAST, "--json")
        )
    finally:
        away.rename(faces)
    assert [row["name"] for row in found["data"]] == ["harbour", "office"]
    assert found["notes"][0].startswith(
        f"trained on folder:{faces}, which is not here and has no row: {faces}"
    )
    assert found["data"][0]["threshold"]["source"] == "dev"


def test_a_model_that_does_not_name_its_data_knows_them_by_their_lists(
    fas: Fas, trained: Path, faces: Path, others: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    assert fas("export", trained, "-o", model, "-q").exit_code == 0
    data = ["--data", others / "harbour", "--data", f"folder:{faces}"]
    found = document(fas("eval", model, *data, *FAST, "--json"))
    assert [(row["name"], row["seen"]) for row in found["data"]] == [("own", True), ("harbour", False)]
    assert "never seen in training, as far as file names and labels tell: harbour" in found["notes"]


def test_what_lies_in_its_own_place_is_not_called_unseen(
    fas: Fas, trained: Path, faces: Path, others: Path
) -> None:
    data = ["--data", faces / "test", "--data", others / "office"]
    found = document(fas("eval", trained, *data, *FAST, "--json"))
    assert [(row["name"], row["seen"]) for row in found["data"]][1:] == [("test", True), ("office", False)]
    assert "in one place with its own data, so perhaps seen in training: test" in found["notes"]


def test_scores_of_each_in_a_folder(fas: Fas, trained: Path, others: Path, tmp_path: Path) -> None:
    (tmp_path / "office").mkdir()
    shutil.copytree(others / "office" / "test", tmp_path / "office" / "test")
    data = ["--data", others / "office", "--data", tmp_path / "office", "--data", others / "photos.csv"]
    found = document(fas("eval", trained, *data, *FAST, "--scores", tmp_path / "out", "--json"))
    assert found["scores"] == str(tmp_path / "out")
    names = ["own", "office", "office-2", "photos"]
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == sorted(names)
    for row, name in zip(found["data"], names, strict=True):
        assert row["name"] == name
        with (tmp_path / "out" / f"{name}.csv").open() as stream:
            assert len(list(csv.DictReader(stream))) == row["samples"]
    assert "metrics" not in found["data"][-1]
    assert found["notes"][-1] == "photos: 9 samples, not all labelled: no row"


def test_another_threshold_is_one_for_all(fas: Fas, trained: Path, others: Path) -> None:
    data = ["--data", others / "harbour", "--data", others / "office", *FAST, "--json"]
    found = document(fas("eval", trained, *data, "--threshold", "fixed:2"))
    assert [row["metrics"]["bpcer"] for row in found["data"]] == [1, 1, 1]
    assert not any(note.startswith("the threshold") for note in found["notes"])
    shown = fas("eval", trained, *data[:-1], "--threshold", "oracle:eer").stdout
    assert "each at its own threshold" in shown
    assert "not what can be claimed" in shown


def test_a_protocol_of_another_data_set(fas: Fas, trained: Path, cefa: Path, others: Path) -> None:
    data = ["--data", f"cefa:{cefa}", "--data", others / "office", *FAST, "--json"]
    found = document(fas("eval", trained, *data, "--protocol", "cefa-4@2"))
    assert [(row["name"], row["samples"]) for row in found["data"]][1:] == [("cefa", 12), ("office", 9)]
    alone = document(
        fas("eval", trained, "--data", f"cefa:{cefa}", "--protocol", "cefa-4@2", *FAST, "--json")
    )
    assert alone["metrics"] == found["data"][1]["metrics"]
    assert document(fas("eval", trained, *data))["data"][1]["samples"] == 36


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "{others}/office", "--data", "/no/such/data"], "/no/such/data"),
        (["--data", "{others}/office", "--data", "{others}/office/"], "the same data set is given twice"),
        (["--data", "{others}/office", "--data", "{others}/harbour", "--split", "dev"], "dev"),
        (["--data", "{others}/office", "--data", "{others}/harbour", "--subsets"], "several --data"),
        (["--data", "{others}/office", "--data", "{others}/harbour", "--group-by", "species"], "several"),
        (["--data", "{others}/office", "--protocol", "cefa-4@1"], "--protocol of cefa: no --data is of that"),
        (["--data", "{cefa}", "--data", "{others}/office", "--protocol", "cefa-4"], "a set of protocols"),
        (["--data", "{cefa}", "--protocol", "cefa-4@1", "--protocol", "cefa-4@2"], "a second protocol of"),
        (["--data", "{cefa}", "--protocol", "cefa-4@9"], "protocol"),
        (["--protocol", "cefa-4@1"], "--protocol of cefa: no --data"),
    ],
)
def test_a_mistake_stops_it_before_anything_is_scored(
    fas: Fas, trained: Path, others: Path, cefa: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = fas(
        "eval",
        trained,
        *(text.format(others=others, cefa=cefa) for text in arguments),
        "--scores",
        tmp_path / "out",
    )
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_what_lacks_a_modality_is_refused_first(
    fas: Fas, trained: Path, others: Path, tmp_path: Path
) -> None:
    photos = sorted((others / "office").rglob("*.png"))
    rows = "".join(f"{number},{path},1\n" for number, path in enumerate(photos))
    (tmp_path / "depth.csv").write_text("id,depth,label\n" + rows)
    arguments = ["--data", others / "office", "--data", tmp_path / "depth.csv", "--scores", tmp_path / "out"]
    result = fas("eval", trained, *arguments)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "no 'rgb' images, which the model takes" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_set_of_runs_takes_one(fas: Fas, trained_set: Path, others: Path) -> None:
    result = fas("eval", trained_set, "--data", others / "office", "--data", others / "harbour")
    assert result.exit_code == 2
    assert "a set of runs takes one --data" in result.stderr
