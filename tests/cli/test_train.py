"""`fas train` as a user types it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

Fas = Callable[..., Result]


def recipe_of(run: Path) -> dict:
    return yaml.safe_load((run / "recipe.yaml").read_text())


def test_trains_judges_and_says_what_is_next(fas: Fas, recipe_file: Path, tmp_path: Path) -> None:
    result = fas("train", recipe_file, "--runs", tmp_path)
    assert result.exit_code == 0, result.output
    assert "epoch 1/1" in result.stdout
    for part in ("Acc", "EER", "APCER", "BPCER", "ACER", "dev", "test", "print", "replay"):
        assert part in result.stdout
    results, _, steps = result.stdout.partition("next:\n")
    assert max(map(len, results.splitlines())) <= 80 + len(str(tmp_path))
    run = tmp_path / "tiny"
    commands = [shlex.split(line) for line in steps.splitlines()]
    *_, (_, predict, model, photo, option), serve = commands
    assert [*commands[:3], serve] == [
        ["fas", "report", str(run)],
        ["fas", "eval", str(run)],
        ["fas", "export", str(run)],
        ["fas", "serve", str(run / "model.onnx")],
    ]
    assert (predict, model, option) == ("predict", str(run / "model.onnx"), "--no-detect")
    assert Path(photo).is_file()
    assert "\x1b" not in result.stdout  # no colour in a pipe


def test_a_second_run_gets_the_next_number(fas: Fas, recipe_file: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert fas("train", recipe_file, "--runs", tmp_path, "-q").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny", "tiny-2"]


def test_with_a_cache_of_faces_the_weights_are_the_same(
    fas: Fas, recipe_file: Path, trained: Path, tmp_path: Path
) -> None:
    """And the run goes on without it, as no figure depends on it."""
    cache = tmp_path / "cache"
    options = ["--set", f"train.cache={cache}"]
    first = fas("train", recipe_file, "--runs", tmp_path, "--epochs", 5, *options)
    assert f"cache {cache}: about 0.000167 GB for 24 samples, of which 0 GB are there; " in first.stdout
    assert len(list(cache.glob("*/*.faces"))) == 24
    run = tmp_path / "tiny"
    resumed = fas("train", "--resume", run, "--epochs", 6, "--set", "train.cache=null")
    assert resumed.exit_code == 0, resumed.output
    assert f"cache {cache}" not in resumed.stdout
    assert (run / "last.safetensors").read_bytes() == (trained / "last.safetensors").read_bytes()


def test_the_published_flags_work_as_they_did(fas: Fas, recipe_file: Path, tmp_path: Path) -> None:
    flags = "-b 4 --lr 0.005 --every-decay 30 --fl-gamma 2 --epochs 1 -j 0 --input-size 32 --random-seed 3"
    result = fas("train", "--config", recipe_file, "--runs", tmp_path, *flags.split())
    assert result.exit_code == 0, result.output
    recipe = recipe_of(tmp_path / "tiny")
    assert recipe["loss"]["gamma"] == 2
    assert recipe["model"]["input_size"] == 32
    wanted = {"batch_size": 4, "lr": 0.005, "every_decay": 30, "epochs": 1, "workers": 0, "seed": 3}
    assert {key: recipe["train"][key] for key in wanted} == wanted


@pytest.mark.parametrize("flag", ["-b", "--b", "--batch-size"])
def test_three_spellings_of_the_batch_size(fas: Fas, recipe_file: Path, flag: str) -> None:
    shown = fas("config", "show", recipe_file, flag, 7, "--json")
    assert json.loads(shown.stdout)["train"]["batch_size"] == 7


@pytest.mark.usefixtures("all_replicates")
def test_json_is_one_document_on_stdout(fas: Fas, recipe_file: Path, tmp_path: Path) -> None:
    result = fas("train", recipe_file, "--runs", tmp_path, "--json")
    document = json.loads(result.stdout)
    assert document["splits"]["test"]["threshold"]["source"] == "dev"
    assert document["splits"]["test"]["intervals"]["replicates"] == 1000
    assert document["train_hours"] > 0
    assert "epoch 1/1" in result.stderr


def test_other_data_by_a_flag(fas: Fas, recipe_file: Path, faces: Path, tmp_path: Path) -> None:
    result = fas("train", recipe_file, "--data", faces, "--runs", tmp_path, "-q")
    assert result.exit_code == 0, result.output
    assert recipe_of(tmp_path / "tiny")["data"] == {
        "name": "folder",
        "root": str(faces),
        "modalities": ["rgb", "depth", "ir"],
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["quickstrat"], "did you mean 'quickstart'"),
        (["no/such.yaml"], "no/such.yaml"),
        (["{recipe}", "--set", "train.lrr=1"], "did you mean 'lr'"),
        (["{recipe}", "--set", "train.lr"], "KEY=VALUE"),
        (["{recipe}", "--lr", "-1"], "train.lr: must be > 0"),
        (["{recipe}", "--set", "modalities=[rgb, thermal]"], "thermal"),
        (["{recipe}", "--set", "model.fusion=concatlinear"], "concat_linear"),
        (["{recipe}", "--data", "/no/such/folder"], "/no/such/folder"),
        (["{recipe}", "--input-size", "100"], "96"),
        (["{recipe}", "--threshold", "best"], "threshold"),
        (["--resume", "/no/such/run"], "not a run folder"),
        (["--resume", "{trained}", "--lr", "1"], "train.lr"),
        (["--resume", "{trained}", "--data", "synthetic"], "it takes no data (only data.image_root,"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    fas: Fas, recipe_file: Path, trained: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    filled = [text.format(recipe=recipe_file, trained=trained) for text in arguments]
    result = fas("train", *filled, "--runs", tmp_path / "runs")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_all_mistakes_of_a_recipe_at_once(fas: Fas, recipe_file: Path) -> None:
    sets = ["train.lr=-1", "train.epochs=1.5", "modle=3", "loss.gamma=-2", "metrics=[auk]"]
    result = fas("train", recipe_file, *(part for text in sets for part in ("--set", text)))
    assert result.exit_code == 2
    for path in ("train.lr", "train.epochs", "modle", "loss.gamma", "metrics"):
        assert path in result.stderr


@pytest.fixture
def train_only(faces: Path, tmp_path: Path) -> Path:
    """A data set without dev and test."""
    shutil.copytree(faces / "train", tmp_path / "my faces" / "train")
    return tmp_path / "my faces"


def test_without_dev_and_test_the_end_says_so(
    fas: Fas, recipe_file: Path, train_only: Path, tmp_path: Path
) -> None:
    arguments = ("train", recipe_file, "--data", train_only, "--runs", tmp_path / "my runs")
    result = fas(*arguments)
    assert result.exit_code == 0, result.output
    run = tmp_path / "my runs" / "tiny"
    lines = result.stdout.splitlines()
    start = lines.index("next:")
    assert lines[start - 1] == (
        f"{run}: trained, and not evaluated: the data has no labelled dev or test split; "
        "the last weights are the best"
    )
    commands = [shlex.split(line) for line in lines[start + 1 :]]
    assert [words[1] for words in commands] == ["export", "predict", "serve"]  # there is nothing to report
    assert all(words[-2:] == ["--threshold", "fixed:0.5"] for words in commands[1:])
    for words in commands[:2]:
        pasted = fas(*words[1:])
        assert pasted.exit_code == 0, pasted.output
    document = json.loads(fas(*arguments, "--json").stdout)
    assert document["splits"] == {}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children are listed in /proc")
def test_a_killed_worker_is_one_line_and_exit_code_2(recipe_file: Path, tmp_path: Path) -> None:
    arguments = ["train", str(recipe_file), "--epochs", "500", "-j", "2", "--runs", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "fas_core", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch 2/"):
                break
        kill_a_child(process.pid)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    saved, error = errors.splitlines()
    assert saved == f"warning: saved: continue with `fas train --resume {tmp_path / 'tiny'}`"
    assert "ended early" in error
    assert "most likely because memory ran out: give it more memory, or take fewer --workers" in error


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([""], "recipe '': neither a shipped recipe nor a file"),
        (["--config="], "recipe '': neither a shipped recipe nor a file"),
        (["--name="], "--name is empty"),
        (["quickstart", "--config", "quickstart"], "--config is the same as RECIPE"),
    ],
)
def test_an_empty_value_is_not_the_default(
    fas: Fas, arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a variable of the shell that is not set."""
    monkeypatch.chdir(tmp_path)
    result = fas("train", *arguments)
    assert (result.exit_code, problem in result.stderr) == (2, True), result.output
    assert not list(tmp_path.iterdir())


def kill_a_child(pid: int) -> None:
    """Kill a child of a process with SIGKILL, once it has one."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for _ in range(2000):
        if pids := children.read_text().split():
            try:
                os.kill(int(pids[0]), signal.SIGKILL)
            except ProcessLookupError:
                continue
            return
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_before_training_stops_with_its_exit_code(
    fas: Fas, recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def open_slowly(*_: object) -> None:
        signal.raise_signal(number)
        threading.Event().wait(30)

    monkeypatch.setattr("fas_core.training.job.open_choice", open_slowly)
    result = fas("train", recipe_file, "--runs", tmp_path)
    assert result.exit_code == 128 + number
    assert result.stderr.splitlines() == [
        "warning: stopping; again to stop now",
        f"error: interrupted by {number.name}",
    ]
    assert not list(tmp_path.iterdir())


def test_ctrl_c_saves_and_resume_finishes(recipe_file: Path, faces: Path, tmp_path: Path, fas: Fas) -> None:
    command = [sys.executable, "-c", "from fas_core.cli import main; main()"]
    arguments = ["train", str(recipe_file), "--epochs", "40", "--runs", str(tmp_path)]
    with subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch 2/"):
                process.send_signal(signal.SIGINT)
                break
        _, errors = process.communicate(timeout=60)
    run = tmp_path / "tiny"
    assert process.returncode == 130
    assert f"fas train --resume {run}" in errors
    assert "Traceback" not in errors
    done = len((run / "metrics.jsonl").read_text().splitlines())
    assert 2 <= done < 40

    moved = shutil.copytree(faces, tmp_path / "moved")
    result = fas("train", "--resume", run, "--epochs", done + 2, "--data", moved)
    assert result.exit_code == 0, result.output
    assert len((run / "metrics.jsonl").read_text().splitlines()) == done + 2
    assert recipe_of(run)["data"]["root"] == str(moved)
