"""`fas train --folds` as a user types it: a run for each fold, their threshold, the final model."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from safetensors.torch import load_file

from fas_core.cli import main
from fas_core.data.open import open_choice
from fas_core.inference.loaded_model import load_model
from fas_core.inference.score_samples import score_samples
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold
from fas_plugins.datasets.manifest import Manifest

Fas = Callable[..., Result]
SUBJECTS = {"train": "abcd", "dev": "abcx", "test": "yz"}
NAMES = ["fold-1", "fold-2", "final"]


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of faces: 3 live and 3 attacks of each person; three of dev's four people are train's."""
    root, rng = tmp_path_factory.mktemp("people"), np.random.default_rng(5)
    rows = ["path,split,label,species,subject"]
    for split, subjects in SUBJECTS.items():
        for subject in subjects:
            for number in range(6):
                live = number < 3
                species = "live" if live else ("print", "replay")[number % 2]
                name = f"{split}-{subject}-{number}.png"
                image = rng.normal(150 if live else 100, 25, (48, 48, 3)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(root / name), image)
                rows.append(f"{name},{split},{int(live)},{species},{subject}")
    manifest = root / "people.csv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest


@pytest.fixture(scope="session")
def folds_recipe(people: Path, recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny recipe, on them."""
    tree = yaml.safe_load(recipe_file.read_text()) | {"data": {"name": "manifest", "root": str(people)}}
    tree["train"] |= {"epochs": 2}
    path = tmp_path_factory.mktemp("recipes") / "people.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.fixture(scope="session")
def trained_folds(folds_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The folder of two folds and the final run, and what was said; do not change it."""
    runs = tmp_path_factory.mktemp("runs")
    arguments = ["train", str(folds_recipe), "--folds", "subject:2", "--runs", str(runs)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return runs / "people", result


@pytest.fixture
def folder(trained_folds: tuple[Path, Result]) -> Path:
    return trained_folds[0]


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def recipe_of(run: Path) -> dict[str, Any]:
    return yaml.safe_load((run / "recipe.yaml").read_text())


def results_of(path: Path) -> dict[str, Any]:
    return json.loads((path / "results.json").read_text())


def files_at(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_every_sample_is_scored_by_the_model_that_never_saw_its_subject(folder: Path, people: Path) -> None:
    """Of train and, as dev shows three of its people again, of dev."""
    rows = rows_of(folder / "out_of_fold.csv")
    train = [row for row in rows_of(people) if row["split"] == "train"]
    train += [row for row in rows_of(people) if row["split"] == "dev" and row["subject"] in SUBJECTS["train"]]
    assert [row["id"] for row in rows] == [row["path"] for row in train]
    for key in ("label", "species", "subject"):
        assert [row[key] for row in rows] == [row[key] for row in train]
    assert len({(row["subject"], row["fold"]) for row in rows}) == len(SUBJECTS["train"])
    for fold in ("1", "2"):
        name = f"fold-{fold}"
        run = Run.open(folder / name, registry())
        reader = open_choice(run.recipe.data, registry())
        trained = set(reader.samples("train").column("subject"))
        mine = [row for row in rows if row["fold"] == fold]
        assert not trained & {row["subject"] for row in mine}
        assert trained | {row["subject"] for row in mine} == set(SUBJECTS["train"])
        # Scored anew, by the weights of the last epoch.
        samples = reader.samples("dev")
        scores = score_samples(load_model(run.path, registry()).scorer, samples, model_input=run.recipe.input)
        np.testing.assert_allclose(scores.scores, [float(row["score"]) for row in mine], atol=1e-6)


def test_the_last_weights_count_whatever_dev_says(folder: Path) -> None:
    for name in NAMES:
        assert recipe_of(folder / name)["train"]["select"] == "last"
        best, last = (load_file(folder / name / f"{which}.safetensors") for which in ("best", "last"))
        assert all((best[key] == last[key]).all() for key in last)
        assert len((folder / name / "metrics.jsonl").read_text().splitlines()) == 2


def test_the_final_threshold_is_that_of_the_out_of_fold_scores(
    fas: Fas, folder: Path, tmp_path: Path
) -> None:
    rows = rows_of(folder / "out_of_fold.csv")
    columns = {key: [row[key] for row in rows] for key in ("id", "species")}
    numbers = {"score": [float(row["score"]) for row in rows], "label": [int(row["label"]) for row in rows]}
    expected = fit_threshold("eer", ScoreTable.of(columns | numbers)).value
    wanted = {"value": expected, "policy": "eer", "source": "out-of-fold subject:2"}

    results = results_of(folder)
    assert results["out_of_fold"]["pooled"]["threshold"] == wanted
    assert results["final"]["test"]["threshold"] == wanted
    assert results_of(folder / "final")["splits"]["dev"]["threshold"] == wanted
    dev = fit_threshold("eer", ScoreTable.read(folder / "final" / "scores" / "dev.csv")).value
    assert dev != expected

    for target in (folder, folder / "final"):
        judged = json.loads(fas("eval", target, "--replicates", 0, "--json").stdout)
        assert judged["threshold"] == wanted
    assert json.loads(fas("eval", folder, "--replicates", 0, "--json").stdout)["model"] == str(
        folder / "final"
    )
    other = json.loads(fas("eval", folder, "--threshold", "min-acer", "--replicates", 0, "--json").stdout)
    assert other["threshold"]["source"] == "out-of-fold subject:2"
    assert other["threshold"]["value"] == fit_threshold("min-acer", ScoreTable.of(columns | numbers)).value

    exported = fas(
        "export", folder / "final", "-o", tmp_path / "model.onnx", "--weights", "last", "--keep-data-root"
    )
    assert exported.exit_code == 0, exported.output
    shown = json.loads(fas("eval", tmp_path / "model.onnx", "--replicates", 0, "--json").stdout)
    assert shown["threshold"] == wanted


def test_the_final_model_is_trained_on_all_of_train(
    fas: Fas, folder: Path, folds_recipe: Path, tmp_path: Path
) -> None:
    options = ["--set", "train.select=last", "--runs", tmp_path, "-q"]
    assert fas("train", folds_recipe, *options).exit_code == 0
    alone = load_file(tmp_path / "people" / "last.safetensors")
    final = load_file(folder / "final" / "last.safetensors")
    assert all((alone[key] == final[key]).all() for key in alone)


def test_the_figures_are_mean_and_sample_deviation_at_one_threshold(folder: Path) -> None:
    results = results_of(folder)
    found, cut = results["out_of_fold"], results["out_of_fold"]["pooled"]["threshold"]["value"]
    rows = rows_of(folder / "out_of_fold.csv")

    def rates(part: list[dict[str, str]]) -> tuple[float, float]:
        accepted = [(row["label"] == "1", float(row["score"]) >= cut) for row in part]
        attacks = [passed for live, passed in accepted if not live]
        refused = [not passed for live, passed in accepted if live]
        return statistics.fmean(attacks), statistics.fmean(refused)

    each = {name: rates([row for row in rows if row["fold"] == name[-1]]) for name in found["folds"]}
    assert list(each) == ["fold-1", "fold-2"]
    for name, (apcer, bpcer) in each.items():
        metrics = found["folds"][name]["metrics"]
        assert (metrics["apcer"], metrics["bpcer"]) == pytest.approx((apcer, bpcer))
        assert found["folds"][name]["groups"] == 2
    values = [apcer for apcer, _ in each.values()]
    assert found["mean"]["apcer"] == pytest.approx(statistics.fmean(values))
    assert found["sd"]["apcer"] == pytest.approx(statistics.stdev(values))
    pooled = found["pooled"]["metrics"]
    assert (pooled["apcer"], pooled["bpcer"]) == pytest.approx(rates(rows))
    hours = [results_of(folder / name)["train_hours"] for name in NAMES]
    assert results["train_hours"] == pytest.approx(sum(hours))


def test_the_tables_say_which_threshold_to_take_and_why(trained_folds: tuple[Path, Result]) -> None:
    folder, result = trained_folds
    lines = result.stdout.splitlines()
    header = ["fold", "subjects", "samples", "EER", "worst", "pooled", "BPCER", "pooled"]
    assert any(line.split() == header for line in lines)
    for name in ("fold-1", "fold-2", "pooled"):
        assert any(line.split()[:2] == [name, "4" if name == "pooled" else "2"] for line in lines if line)
    assert "± sd" in result.stdout
    assert "dev shares 3 of its 4 subjects with train: its threshold is of subjects seen" in lines
    assert any(line.endswith("of the samples are dev's, of subjects held out") for line in lines)
    assert "recommended: no model was trained on the subjects that it scores here" in lines
    assert "(eer on out-of-fold subject:2)" in result.stdout
    assert f"fas eval {folder / 'final'}" in result.stdout
    assert max(map(len, lines)) <= 80 + len(str(folder / "final"))
    tables = lines[next(n for n, line in enumerate(lines) if line.startswith("Rates in %")) :]
    assert not [line for line in tables if str(folder) not in line and len(line) > 80]


def test_folds_that_do_not_part_people_are_not_recommended(
    fas: Fas, folds_recipe: Path, people: Path, tmp_path: Path
) -> None:
    lines = [line for line in people.read_text().splitlines() if ",dev," not in line]
    videos = ["video", *(f"v{number // 2}" for number in range(len(lines) - 1))]
    shutil.copytree(people.parent, tmp_path / "people")
    manifest = tmp_path / "people" / "people.csv"
    manifest.write_text("".join(f"{line},{video}\n" for line, video in zip(lines, videos, strict=True)))
    options = ["--set", f"data.root={manifest}", "--folds", "video:2", "--epochs", 1, "--runs", tmp_path]
    result = fas("train", folds_recipe, *options, "--no-final")
    assert result.exit_code == 0, result.output
    assert "there is no dev split that a threshold could be fitted on" in result.stdout
    assert "subjects are in several folds: scores are of people seen" in result.stdout
    assert "recommended" not in result.stdout
    assert "sessions are not known" in result.stdout


def test_dev_can_be_trained_on_where_folds_give_the_threshold(
    fas: Fas, folds_recipe: Path, people: Path, tmp_path: Path
) -> None:
    """Folds are of train and dev together, the final model has both, and its export is verified on dev."""
    options = ["--set", "data.train_on_dev=true", "--folds", "subject:2", "--epochs", 1, "--runs", tmp_path]
    result = fas("train", folds_recipe, *options)
    assert result.exit_code == 0, result.output
    assert "dev is trained on: it is a part of train" in result.stdout
    assert "recommended: no model was trained on the subjects that it scores here" in result.stdout
    learned = [row["path"] for row in rows_of(people) if row["split"] in ("train", "dev")]
    assert sorted(row["id"] for row in rows_of(tmp_path / "people" / "out_of_fold.csv")) == sorted(learned)
    final = tmp_path / "people" / "final"
    assert recipe_of(final)["data"]["train_on_dev"] is True
    reader = open_choice(Run.open(final, registry()).recipe.data, registry())
    assert sorted(reader.samples("train").column("id")) == sorted(learned)
    assert set(results_of(final)["splits"]) == {"test"}
    threshold = json.loads(fas("eval", final, "--replicates", 0, "--json").stdout)["threshold"]
    assert threshold["source"] == "out-of-fold subject:2"
    refused = fas("eval", final, "--split", "dev")
    assert refused.exit_code == 2
    assert "no split 'dev': the model was trained on it (data.train_on_dev)" in refused.stderr
    exported = fas("export", final, "-o", tmp_path / "model.onnx", "--json")
    assert exported.exit_code == 0, exported.output
    found = json.loads((tmp_path / "model.onnx.verification.json").read_text())
    assert found["split"] == "dev"


def test_a_fold_is_a_run_like_any_other(fas: Fas, folder: Path) -> None:
    judged = json.loads(fas("eval", folder / "fold-2", "--replicates", 0, "--json").stdout)
    assert judged["threshold"]["source"] == "dev"
    held_out = recipe_of(folder / "fold-2")["data"]["held_out"]
    assert held_out == {"by": "subject", "folds": 2, "fold": 2, "seed": 14}
    dev = fas("eval", folder / "fold-2", "--split", "dev", "--replicates", 0)
    assert "dev: fold 2 of 2 by subject, which train leaves out" in dev.stdout
    assert not (folder / "fold-2" / "scores" / "test.csv").exists()
    report = fas("report", folder / "fold-2", "--split", "dev", "-o", folder.parent / "report.html", "-q")
    assert report.exit_code == 0, report.output


def test_anybody_can_judge_the_out_of_fold_scores(fas: Fas, folder: Path) -> None:
    file = folder / "out_of_fold.csv"
    judged = json.loads(fas("score", file, "--threshold", "oracle:eer", "--replicates", 0, "--json").stdout)
    pooled = results_of(folder)["out_of_fold"]["pooled"]
    assert judged["metrics"]["eer"] == pytest.approx(pooled["metrics"]["eer"])
    assert judged["threshold"]["value"] == pytest.approx(pooled["threshold"]["value"])


def test_json_is_one_document_and_the_data_are_read_once(
    fas: Fas, folds_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    original = Manifest.prepare
    monkeypatch.setattr(Manifest, "prepare", lambda reader: (opened.append(reader), original(reader))[1])
    result = fas(
        "train",
        folds_recipe,
        "--folds",
        "subject:2",
        "--epochs",
        1,
        "--no-final",
        "--runs",
        tmp_path,
        "--json",
    )
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert set(document) == {"folds", "train_hours", "out_of_fold", "final", "weights", "sha256"}
    assert document["folds"] == "subject:2"
    assert document["final"] is None
    assert len(opened) == 1


def test_ctrl_c_in_the_second_fold_and_on_from_there(
    fas: Fas, folder: Path, folds_recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Run.append_metrics

    def interrupted(run: Run, record: dict[str, Any]) -> None:
        written(run, record)
        if run.path.name == "fold-2":
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "append_metrics", interrupted)
        result = fas("train", folds_recipe, "--folds", "subject:2", "--runs", tmp_path)
    path = tmp_path / "people"
    assert result.exit_code == 130
    assert f"fas train --resume {path}`" in result.stderr
    assert "Traceback" not in result.output
    assert not (path / "final").exists()
    refused = fas("eval", path)
    assert refused.exit_code == 2
    assert f"final not trained to the end: continue with `fas train --resume {path}`" in refused.stderr
    before = files_at(path / "fold-1")
    result = fas("train", "--resume", path)
    assert result.exit_code == 0, result.output
    assert "continued at epoch 2" in result.stdout
    assert files_at(path / "fold-1") == before
    assert (path / "out_of_fold.csv").read_bytes() == (folder / "out_of_fold.csv").read_bytes()
    fresh, whole = results_of(path), results_of(folder)
    assert fresh["out_of_fold"] == whole["out_of_fold"]
    assert fresh["final"] == whole["final"]


def test_more_epochs_for_all(fas: Fas, folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "people"
    shutil.copytree(folder, copied)
    result = fas("train", "--resume", copied, "--epochs", 3, "-q")
    assert result.exit_code == 0, result.output
    for name in NAMES:
        assert len((copied / name / "metrics.jsonl").read_text().splitlines()) == 3
    assert (copied / "out_of_fold.csv").read_bytes() != (folder / "out_of_fold.csv").read_bytes()
    assert (copied / "out_of_fold.csv").read_bytes() == (
        copied / "final" / "scores" / "out_of_fold.csv"
    ).read_bytes()


def test_the_final_model_can_come_later(fas: Fas, folder: Path, tmp_path: Path) -> None:
    copied = tmp_path / "people"
    shutil.copytree(folder, copied)
    shutil.rmtree(copied / "final")
    result = fas("train", "--resume", copied, "--no-final")
    assert result.exit_code == 0, result.output
    assert f"fas train --resume {copied} --final" in result.stdout
    refused = fas("eval", copied)
    assert refused.exit_code == 2
    assert f"train it by `fas train --resume {copied} --final`" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert fas("train", "--resume", copied, "--final", "-q").exit_code == 0
    assert results_of(copied)["final"] == results_of(folder)["final"]


def test_other_samples_than_the_folds_were_made_of(
    fas: Fas, folder: Path, people: Path, tmp_path: Path
) -> None:
    shutil.copytree(people.parent, tmp_path / "moved")
    manifest = tmp_path / "moved" / "people.csv"
    copied = tmp_path / "people"
    shutil.copytree(folder, copied)
    assert fas("train", "--resume", copied, "--data", f"manifest:{manifest}", "-q").exit_code == 0
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join([lines[0], *lines[2:]]) + "\n")
    result = fas("train", "--resume", copied)
    assert result.exit_code == 2
    assert "its folds were made of other samples" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["{recipe}", "--folds", "subject:"],
            "folds: must be COLUMN:K, K folds of at least 2, e.g. subject:5",
        ),
        (["{recipe}", "--folds", "subject:1"], "K folds of at least 2"),
        (["{recipe}", "--folds", "subject:x"], "must be COLUMN:K"),
        (["{recipe}", "--folds", "subjct:2"], "no such column (did you mean 'subject'?)"),
        (["{recipe}", "--folds", "video:2"], "folds by video: it is not known of 24 of 24 training samples"),
        (["{recipe}", "--folds", "subject:5"], "5 folds by subject: train has only 4 subjects"),
        (["{recipe}", "--folds", "subject:2", "--set", "train.select=best"], "the last weights count"),
        (
            ["{recipe}", "--folds", "subject:2", "--protocol", "cefa-4", "--data", "{cefa}"],
            "is a set of protocols",
        ),
        (
            [
                "{recipe}",
                "--folds",
                "subject:2",
                "--set",
                "data.held_out={{by: subject, folds: 2, fold: 1}}",
            ],
            "leave data.held_out away",
        ),
        (
            ["{recipe}", "--set", "data.held_out={{by: subject, folds: 2, fold: 3}}"],
            "must be at most folds, 2: 3",
        ),
        (["{recipe}", "--no-final"], "--final and --no-final are about folds"),
        (["--resume", "{folder}", "--folds", "subject:3"], "it takes no folds"),
        (["--resume", "{folder}/final", "--final"], "--final and --no-final are about folds"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    fas: Fas, folds_recipe: Path, folder: Path, cefa: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    filled = [text.format(recipe=folds_recipe, folder=folder, cefa=cefa) for text in arguments]
    result = fas("train", *filled, "--runs", tmp_path / "runs")
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_folder_of_folds_is_neither_a_run_nor_written_over(
    fas: Fas, folder: Path, folds_recipe: Path
) -> None:
    before = files_at(folder)
    result = fas("report", folder)
    assert result.exit_code == 2
    assert f"holds folds, each a run of its own: give {folder / 'final'}" in result.stderr
    for folds in ([], ["--folds", "subject:2"]):
        result = fas("train", folds_recipe, *folds, "--runs", folder.parent, "--name", folder.name)
        assert result.exit_code == 2
        assert "choose another --name" in result.stderr
    assert files_at(folder) == before


def test_a_damaged_set_file_is_one_line(fas: Fas, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "people")
    (tmp_path / "people" / "folds.yaml").write_text("final: true\n")
    for arguments in (["eval", tmp_path / "people"], ["train", "--resume", tmp_path / "people"]):
        result = fas(*arguments)
        assert result.exit_code == 2
        assert "must have final, digest and recipe, and nothing else" in result.stderr
