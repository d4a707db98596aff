"""`fas tune`, as a user types it, with two trials that are trained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from commands.tune.conftest import Trainings, diverge

Fas = Callable[..., Result]
SPACE = ("--space", "train.lr=log:1e-3:1e-1", "--space", "train.optimizer=[sgd, adamw]")


def test_trials_are_runs_and_the_best_is_a_recipe(fas: Fas, recipe_file: Path, tmp_path: Path) -> None:
    options = ("--runs", tmp_path, "--input-size", 32, "--trials", 2)
    result = fas("tune", recipe_file, *SPACE, *options, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    folder = tmp_path / "tiny-tune"
    assert document["study"] == str(folder)
    assert document["recipe"] == str(folder / "best.yaml")
    for trial in document["trials"]:
        records = (folder / trial["run"] / "metrics.jsonl").read_text().splitlines()
        assert trial["eer"] == min(json.loads(line)["dev"]["eer"] for line in records)
        assert set(trial["values"]) == {"train.lr", "train.optimizer"}
        assert (folder / trial["run"] / "results.json").exists()
    eers = {trial["trial"]: trial["eer"] for trial in document["trials"]}
    assert eers[document["best"]] == min(eers.values())

    shown = fas("config", "show", folder / "best.yaml", "--json")
    (best,) = [trial for trial in document["trials"] if trial["trial"] == document["best"]]
    assert json.loads(shown.stdout)["train"]["lr"] == best["values"]["train.lr"]

    again = fas("tune", recipe_file, *SPACE, *options)
    assert again.exit_code == 0, again.output
    lines = [" ".join(line.split()) for line in again.stdout.splitlines()]
    assert lines[:2] == ["Trials, by the EER on dev in %", "run state EER train.lr train.optimizer"]
    assert lines[2].startswith(f"{best['run']} finished {100 * best['eer']:.2f} ")
    assert f"fas train {folder / 'best.yaml'} --seeds 14,15,16" in lines


def test_where_every_trial_fails_the_command_does(
    fas: Fas, recipe_file: Path, tmp_path: Path, trainings: Trainings
) -> None:
    trainings.stop["trial-0"] = diverge()
    result = fas("tune", recipe_file, *SPACE, "--runs", tmp_path, "--trials", 1)
    assert result.exit_code == 2
    folder = tmp_path / "tiny-tune"
    assert result.stderr.splitlines()[-1] == f"error: {folder}: no trial was trained to the end"
    assert "trial-0 failed" in " ".join(result.stdout.split())


def test_ctrl_c_says_how_to_go_on(fas: Fas, recipe_file: Path, tmp_path: Path, trainings: Trainings) -> None:
    trainings.stop["trial-0"] = KeyboardInterrupt()
    result = fas("tune", recipe_file, *SPACE, "--runs", tmp_path, "--trials", 1)
    assert result.exit_code == 130
    assert "saved: the same command goes on" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("flags", [(), ("--anyway",)])
def test_whether_trials_go_on_with_what_has_changed_is_the_users_choice(
    fas: Fas, recipe_file: Path, tmp_path: Path, trainings: Trainings, flags: tuple[str, ...]
) -> None:
    result = fas("tune", recipe_file, *SPACE, "--runs", tmp_path, "--trials", 1, *flags)
    assert result.exit_code == 0, result.output
    assert trainings.anyway == [bool(flags)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--space", "train.lr=fast"], "must be LOW < HIGH of a kind"),
        (["--space", "train.lr=log:1:2", "--set", "data.root=none"], "none"),
        ([], "--space"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    fas: Fas, recipe_file: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = fas("tune", recipe_file, *arguments, "--runs", tmp_path / "runs")
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_torchrun_is_refused(
    fas: Fas, recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = fas("tune", recipe_file, *SPACE, "--runs", tmp_path)
    assert result.exit_code == 2
    assert "start the command several times, without torchrun" in result.stderr
