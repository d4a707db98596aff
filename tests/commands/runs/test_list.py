"""`fas runs list`, as a user types it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from fixtures.owners import read_line, start

Fas = Callable[..., Result]


def listed(fas: Fas, folder: Path, *arguments: object) -> list[dict]:
    result = fas("runs", "list", folder, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["runs"]


def names(rows: list[dict]) -> list[str]:
    return [row["run"] for row in rows]


def test_every_run_is_listed_also_those_of_groups(fas: Fas, folder: Path) -> None:
    rows = {row["run"]: row for row in listed(fas, folder)}
    assert list(rows) == ["deep/stopped", "run-2", "run-10", "seeds/seed-14", "seeds/seed-15"]
    assert {name: (row["state"], row["epoch"], row["epochs"]) for name, row in rows.items()} == {
        "deep/stopped": ("stopped", 3, 6),
        "run-2": ("finished", 6, 6),
        "run-10": ("finished", 6, 6),
        "seeds/seed-14": ("finished", 6, 6),
        "seeds/seed-15": ("not started", 0, 6),
    }
    assert all(row["reason"] is None for row in rows.values())


def test_the_figures_are_those_of_the_epoch_of_the_lowest_eer(fas: Fas, folder: Path) -> None:
    rows = {row["run"]: row for row in listed(fas, folder)}
    assert [rows["run-10"][key] for key in ("eer", "acer", "best_epoch")] == [0.05, 0.02, 2]
    assert [rows["seeds/seed-15"][key] for key in ("eer", "acer", "best_epoch")] == [None] * 3


def test_the_table_has_states_epochs_and_rates_in_percent(fas: Fas, folder: Path) -> None:
    result = fas("runs", "list", folder)
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    recipe = "feathernet_a, single of rgb at 64 px, on folder"
    assert f"run-10 finished 6/6 5.00 2.00 {recipe}" in lines
    assert f"deep/stopped stopped 3/6 20.00 2.00 {recipe}" in lines
    assert f"seeds/seed-15 not started 0/6 - - paper, new {recipe}" in lines


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["state=stopped"], ["deep/stopped"]),
        (["state!=finished"], ["deep/stopped", "seeds/seed-15"]),
        (["eer<=10%", "state=finished", "tags!=paper"], ["run-2", "run-10"]),
        (["eer<0.1", "acer>=0.02", "epoch>3", "run!=seeds/seed-14"], ["run-10"]),
        (["train.lr=1e-2"], ["run-10"]),
        (["train.lr>0.01", "state=stopped"], ["deep/stopped"]),
        (["tags=paper"], ["seeds/seed-14", "seeds/seed-15"]),
        (["model.backbone=feathernet_b"], []),
        (["model.fusion=single", "run=run-2"], ["run-2"]),
        (["state<3"], []),
    ],
)
def test_filters_keep_the_runs_that_meet_all(
    fas: Fas, folder: Path, filters: list[str], expected: list[str]
) -> None:
    arguments = [word for text in filters for word in ("--filter", text)]
    assert names(listed(fas, folder, *arguments)) == expected


def test_runs_are_sorted_by_a_key_and_those_without_it_come_last(fas: Fas, folder: Path) -> None:
    by_eer = names(listed(fas, folder, "--sort", "eer", "--filter", "tags!=new"))
    assert by_eer == ["run-10", "run-2", "deep/stopped"]
    assert names(listed(fas, folder, "--sort", "eer"))[-1] == "seeds/seed-15"
    assert names(listed(fas, folder, "--sort", "eer", "--reverse"))[-1] == "seeds/seed-15"
    by_lr = listed(fas, folder, "--sort", "train.lr", "--filter", "tags!=new", "--filter", "state=finished")
    assert names(by_lr) == ["run-10", "run-2"]
    assert names(listed(fas, folder, "--reverse")) == names(listed(fas, folder))[::-1]


def test_a_damaged_run_is_a_row_with_its_reason(fas: Fas, folder: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(folder, tmp_path / "runs")
    (copied / "run-2" / "recipe.yaml").write_text("train: {lr: fast}\n")
    (copied / "run-10" / "metrics.jsonl").write_text('{"loss": 1}\n')
    results = copied / "seeds" / "seed-14" / "results.json"
    results.write_text(results.read_text().replace('"train_hours": ', '"train_hours": 1'))
    (copied / "deep" / "stopped" / "recipe.yaml").unlink()
    (copied / "group").mkdir()
    (copied / "group" / "seeds.yaml").write_text("seeds: [1, 1]\n")
    rows = {row["run"]: row for row in listed(fas, copied)}
    assert rows["run-2"]["reason"].endswith("recipe.yaml: train.lr: must be a number: 'fast'")
    assert "metrics.jsonl:1" in rows["run-10"]["reason"]
    assert "results.json: damaged or edited" in rows["seeds/seed-14"]["reason"]
    assert "no recipe.yaml in it" in rows["deep/stopped"]["reason"]
    assert "seeds.yaml: must have recipe and seeds" in rows["group"]["reason"]
    assert rows["seeds/seed-15"].pop("state") == "not started"
    del rows["seeds/seed-15"]
    assert {row["state"] for row in rows.values()} == {"damaged"}
    assert "must be a number: 'fast'" in fas("runs", "list", copied).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_a_run_that_a_process_trains_is_running_until_that_ends(
    fas: Fas, folder: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(folder, tmp_path / "runs")

    def state() -> str:
        (row,) = listed(fas, copied, "--filter", "run=deep/stopped")
        return row["state"]

    with start("owning", copied / "deep" / "stopped") as process:
        assert read_line(process) == "owned"
        assert state() == "running"
        process.kill()
        process.wait()
    assert (copied / "deep" / "stopped" / "owner.json").is_file()
    assert state() == "stopped"


def test_a_folder_that_cannot_be_read_is_a_row(
    fas: Fas, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = shutil.copytree(folder, tmp_path / "runs")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (row,) = listed(fas, copied, "--filter", "state=damaged")
    assert (row["run"], row["reason"]) == ("deep", "cannot be read: Permission denied")


def test_an_imported_run_is_called_so(fas: Fas, folder: Path, tmp_path: Path) -> None:
    run = shutil.copytree(folder / "run-2", tmp_path / "runs" / "imported")
    for name in ("metrics.jsonl", "results.json", "state.pt"):
        (run / name).unlink()
    (run / "import.json").write_text("{}")
    (row,) = listed(fas, run.parent)
    assert row["state"] == "imported"


def test_one_run_is_listed_by_its_own_path(fas: Fas, folder: Path) -> None:
    assert names(listed(fas, folder / "run-2")) == ["run-2"]
    assert names(listed(fas, folder / "seeds")) == ["seed-14", "seed-15"]


def test_an_empty_folder_and_an_empty_choice_say_so(fas: Fas, folder: Path, tmp_path: Path) -> None:
    assert fas("runs", "list", tmp_path).stdout == f"{tmp_path}: no runs\n"
    chosen = fas("runs", "list", folder, "--filter", "state=damaged")
    assert chosen.stdout == f"{folder}: none of 5 runs is listed\n"


def test_tags_of_the_command_line_are_in_the_recipe(fas: Fas, recipe_file: Path, tmp_path: Path) -> None:
    arguments = ["--input-size", 32, "--runs", tmp_path, "--tag", "first try", "--tag", "b"]
    assert fas("train", recipe_file, *arguments, "-q").exit_code == 0
    (row,) = listed(fas, tmp_path, "--filter", "tags=first try")
    assert row["tags"] == ["first try", "b"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}/none"], "no such folder of runs"),
        (["{folder}", "--filter", "eer"], "must read KEY=VALUE or KEY<=VALUE"),
        (["{folder}", "--filter", "train.rate=1"], "--filter 'train.rate': no run has it"),
        (["{folder}", "--sort", "rate"], "--sort 'rate': no run has it: give one of run, state"),
    ],
)
def test_a_mistake_is_one_line(fas: Fas, folder: Path, arguments: list[str], message: str) -> None:
    result = fas("runs", "list", *(text.format(folder=folder) for text in arguments))
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
