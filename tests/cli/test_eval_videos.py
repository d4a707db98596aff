"""`fas eval` of videos, and of sets of sub-protocols, as a user types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold
from fas_core.scores.videos import by_video

Fas = Callable[..., Result]
MEMBERS = ["4@1", "4@2", "4@3"]
QUICK = ("--replicates", 0)


def stored(run: Path, split: str) -> ScoreTable:
    return ScoreTable.read(run / "scores" / f"{split}.csv")


def test_videos_are_judged_at_a_threshold_of_videos(fas: Fas, trained_set: Path, tmp_path: Path) -> None:
    run, out = trained_set / "4@1", tmp_path / "out.csv"
    result = fas("eval", run, "--aggregate", "video:median", "--scores", out, "--json", *QUICK)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["aggregate"] == "video:median"
    assert document["samples"] == document["counts"]["total"] == 4
    expected = fit_threshold("eer", by_video(stored(run, "dev"), "median"))
    assert document["threshold"] == expected.to_json()
    assert ScoreTable.read(out).table.equals(by_video(stored(run, "test"), "median").table)
    assert any("4 videos of 12 frames, scored by median" in note for note in document["notes"])


def test_samples_without_a_video_are_counted(fas: Fas, trained: Path) -> None:
    result = fas("eval", trained, "--aggregate", "video")
    assert result.exit_code == 2
    assert "test: 24 of 24 samples have no video" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_an_exported_model_has_no_threshold_for_videos(fas: Fas, trained_set: Path, tmp_path: Path) -> None:
    run, model = tmp_path / "run", tmp_path / "model.onnx"
    shutil.copytree(trained_set / "4@1", run)
    # After one epoch scores crowd around the threshold, where the last bit of an export decides.
    assert fas("train", "--resume", run, "--epochs", 4, "-q").exit_code == 0
    exported = fas("export", run, "-o", model, "--keep-data-root", "-q")
    assert exported.exit_code == 0, exported.stderr
    result = fas("eval", model, "--aggregate", "video", "--json", *QUICK)
    assert result.exit_code == 0, result.output
    assert "its own is fitted on frames, which is none for videos" in result.stderr
    assert json.loads(result.stdout)["threshold"] is None
    assert json.loads(fas("eval", model, "--json", *QUICK).stdout)["threshold"]["policy"] == "eer"
    given = fas("eval", model, "--aggregate", "video", "--threshold", "fixed:0.5", "--json", *QUICK)
    assert json.loads(given.stdout)["threshold"]["value"] == 0.5
    refused = fas("eval", model, "--aggregate", "video", "--threshold", "eer", *QUICK)
    assert refused.exit_code == 2
    assert "there are no dev scores" in refused.stderr


def test_a_set_gives_the_figures_of_its_training(fas: Fas, trained_set: Path) -> None:
    document = json.loads(fas("eval", trained_set, "--json", *QUICK).stdout)
    written = json.loads((trained_set / "results.json").read_text())["splits"]["test"]
    assert document["protocol"] == "cefa-4"
    assert list(document["protocols"]) == MEMBERS
    assert document["mean"] == written["mean"]
    assert document["sd"] == written["sd"]


def test_a_set_by_video_with_scores_of_each(fas: Fas, trained_set: Path, tmp_path: Path) -> None:
    result = fas(
        "eval", trained_set, "--split", "dev", "--aggregate", "video", "--scores", tmp_path / "s", *QUICK
    )
    assert result.exit_code == 0, result.output
    for member in MEMBERS:
        found = ScoreTable.read(tmp_path / "s" / f"{member}.csv")
        assert found.table.equals(by_video(stored(trained_set / member, "dev")).table)
        assert f"{member}: accepted when score >=" in result.stdout
    rows = [line.split()[0] for line in result.stdout.splitlines() if line.strip()]
    assert [row for row in rows if row in (*MEMBERS, "mean", "±")][:5] == [*MEMBERS, "mean", "±"]
    assert result.stdout.count("4 videos of 12 frames") == 1


def test_a_set_without_labels_gives_scores_and_no_table(
    fas: Fas, trained_set: Path, cefa: Path, tmp_path: Path
) -> None:
    shutil.copytree(cefa, tmp_path / "cefa")
    for member in MEMBERS:
        lines = (tmp_path / f"cefa/phase2/{member}_test_ref.txt").read_text().splitlines()
        (tmp_path / f"cefa/phase2/{member}_test_ref.txt").unlink()
        bare = "".join(f"{line.split()[0]}\n" for line in lines)
        (tmp_path / f"cefa/phase2/{member}_test_res.txt").write_text(bare)
    result = fas("eval", trained_set, "--data", tmp_path / "cefa", "--scores", tmp_path / "s")
    assert result.exit_code == 0, result.output
    assert "ACER" not in result.stdout
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [f"{member}.csv" for member in MEMBERS]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--aggregate", "frame"], "must be video or video:VOTE"),
        (["--aggregate", "video:mode"], "must be video or video:VOTE"),
        (["--threshold", "best"], "threshold"),
        (["--split", "tset"], "4@1: "),
        (["--subsets"], "without --subsets and --group-by"),
        (["--group-by", "subject"], "without --subsets and --group-by"),
        (["--foreign", "terms.yaml"], "without --foreign and --detector: give one of its runs"),
        (["--detector", "cascade"], "without --foreign and --detector: give one of its runs"),
        (["--scores", "{set}/results.json"], "cannot be written"),
    ],
)
def test_a_mistake_is_one_line(fas: Fas, trained_set: Path, arguments: list[str], said: str) -> None:
    result = fas("eval", trained_set, *(text.format(set=trained_set) for text in arguments))
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_run_of_a_set_that_is_damaged_is_named(fas: Fas, trained_set: Path, tmp_path: Path) -> None:
    copied = tmp_path / "three"
    shutil.copytree(trained_set, copied)
    (copied / "4@2" / "best.safetensors").write_bytes(b"")
    result = fas("eval", copied)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: 4@2: ")
    assert len(result.stderr.strip().splitlines()) == 1
    shutil.rmtree(copied / "4@2")
    result = fas("eval", copied)
    assert f"4@2 not trained to the end: continue with `fas train --resume {copied}`" in result.stderr


def test_a_set_file_that_is_none(fas: Fas, tmp_path: Path) -> None:
    (tmp_path / "protocol_set.yaml").write_text("members: [4@1]\n")
    result = fas("eval", tmp_path)
    assert result.exit_code == 2
    assert "must have protocol, members and recipe, and nothing else" in result.stderr
