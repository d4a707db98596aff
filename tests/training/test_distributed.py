"""Several processes that train one model: equal to one process, and nothing lost when one of them stops."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from faults.processes import peer_environment, start_peers
from fixtures.recipes import plain_recipe, structured, write_faces
from fixtures.strangers import Site
from safetensors.torch import load_file

from fas_core.config.train import TrainConfig
from fas_core.data.draws import RowGroup, epoch_batches
from fas_core.errors import ConfigError
from fas_core.models.checkpoint import load_state
from fas_core.registry import registry
from fas_core.runs.run import Run
from fas_core.training import job
from fas_core.training.distribution import TrainingPeers, check_share

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
ACCELERATE = (sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2")
WAIT = 240
"""Seconds after which a test gives a process up."""

IN_DOUBLE_PRECISION = """
import torch
torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double
from fas_core.cli import main
main(prog_name="fas")
"""
"""`fas` without the rounding that a ReLU turns into other gradients, which would hide a difference."""

TRACKERS = ["csv", "tensorboard", {"name": "accelerate", "log_with": "tensorboard", "project": "lab"}]

STOPPING = """
import os, signal
from fas_core import hookimpl

@hookimpl
def fas_checkpoint_written(event):
    if event.batch:
        os.kill(os.getpid(), signal.SIGTERM)
"""
"""A plugin that stops the main process while the state of an epoch is saved, before dev is scored."""

PIECES = Path(__file__).with_name("two_processes.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recipe and data: 19 samples to train on, so the last batch of an epoch is of three, two and one.

    The recipe has a teacher, so that what holds of several processes holds of distillation, too.
    """
    path = tmp_path_factory.mktemp("distributed")
    for split, live, attack in (("train", 11, 8), ("dev", 6, 5), ("test", 4, 3)):
        write_faces(path / "faces", split, "live", live, 160)
        write_faces(path / "faces", split, "attack/print", attack, 90)
    teacher = structured(plain_recipe(path / "faces", epochs=1))
    job.start(path / "teacher", teacher, registry())
    recipe = plain_recipe(path / "faces", lr=0.005, average=0.5, device="auto")
    recipe["train"]["distillation"] = {"run": str(path / "teacher")}
    recipe["augment"]["mix"] = 0.7
    recipe["train"]["trackers"] = TRACKERS
    recipe["train"]["schedule"] = {"name": "warmup", "updates": 2, "schedule": "one_cycle"}
    (path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    (path / "double.py").write_text(IN_DOUBLE_PRECISION)
    return path


def call(folder: Path, *command: str) -> str:
    """Run a command that succeeds; return its output."""
    done = subprocess.run(
        command, cwd=folder, env=peer_environment(), capture_output=True, text=True, timeout=WAIT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def wait_for(path: Path) -> None:
    """Wait until a file exists."""
    deadline = time.monotonic() + WAIT
    while not path.is_file():
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def runs(folder: Path) -> tuple[Run, Run]:
    """The same recipe trained by one process and, started by torchrun, by two."""
    train = ("double.py", "train", "recipe.yaml", "--name")
    call(folder, sys.executable, *train, "one")
    call(folder, *TORCHRUN, *train, "two")
    return Run.open(folder / "runs" / "one", registry()), Run.open(folder / "runs" / "two", registry())


@pytest.mark.parametrize("which", ["last", "best"])
def test_two_processes_train_the_weights_that_one_does(runs: tuple[Run, Run], which: Any) -> None:
    """Running statistics of batch norms among them, though each process normalises half of a batch."""
    one, two = (load_file(run.weights(which)) for run in runs)
    assert one.keys() == two.keys()
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-7


def test_two_processes_record_the_figures_that_one_does(runs: tuple[Run, Run]) -> None:
    for one, two in zip(*(run.metrics() for run in runs), strict=True):
        assert one["loss"] == pytest.approx(two["loss"], abs=1e-9)
        assert one["dev"] == pytest.approx(two["dev"], abs=1e-9)
        assert one["best"] == two["best"]


def test_trackers_record_the_training_of_two_processes_once(runs: tuple[Run, Run]) -> None:
    """As that of one process, by the main one."""
    tables, files = [], []
    for run in runs:
        with (run.path / "epochs.csv").open(newline="") as file:
            tables.append([row["epoch"] for row in csv.DictReader(file)])
        files.append([len(list((run.path / name).rglob("events.*"))) for name in ("tensorboard", "lab")])
        assert read_scalars(run.path / "tensorboard", "train/loss").keys() == {1, 2}
        assert read_scalars(run.path / "lab", "loss").keys() == {1, 2}
    assert tables == [["1", "2"], ["1", "2"]]
    assert files[0] == files[1]


def read_scalars(folder: Path, name: str) -> dict[int, float]:
    """Return the values of a scalar by step, each of which was recorded once."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    values = [(item.step, item.value) for item in events.Scalars(name)]
    assert len(dict(values)) == len(values)
    return dict(values)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_every_sample_is_scored_once_and_by_the_same_score(runs: tuple[Run, Run], split: str) -> None:
    one, two = (run.stored_scores(split) for run in runs)
    assert one is not None
    assert two is not None
    assert one.table.column("id").equals(two.table.column("id"))
    assert two.scores == pytest.approx(one.scores, abs=1e-6)


def test_a_state_continues_in_another_number_of_processes(runs: tuple[Run, Run]) -> None:
    one, two = (load_state(run.path / "state.pt") for run in runs)
    assert {**one["position"], "seconds": 0, "total_seconds": 0, "best_eer": 0} == {
        **two["position"],
        "seconds": 0,
        "total_seconds": 0,
        "best_eer": 0,
    }
    outcome = job.resume(runs[1].path, registry(), {"train.epochs": 3})
    assert [line["epoch"] for line in outcome.run.metrics()] == [1, 2, 3]


@pytest.fixture(scope="module")
def pieces(folder: Path) -> dict[str, float]:
    """The differences that `two_processes.py` computes in two processes."""
    call(folder, *TORCHRUN, str(PIECES), str(folder / "pieces.json"))
    differences: dict[str, float] = json.loads((folder / "pieces.json").read_text())
    return differences


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_batch_norms_over_processes_equal_one_over_the_whole_batch(
    pieces: dict[str, float], dtype: str
) -> None:
    tolerance = 1e-5 if dtype == "float32" else 0.05
    assert pieces[f"{dtype}: outputs"] < tolerance
    assert pieces[f"{dtype}: gradients"] < tolerance
    assert pieces[f"{dtype}: running statistics"] < 1e-5


def test_the_parameters_of_a_loss_are_trained_together(pieces: dict[str, float]) -> None:
    assert pieces["loss: differs between processes"] == 0
    assert pieces["loss: differs from one process"] < 1e-6


def test_parameters_that_the_loss_does_not_use_stay_as_they_are(pieces: dict[str, float]) -> None:
    assert pieces["unused: change"] == 0


def test_shares_of_unequal_size_are_joined_in_order(pieces: dict[str, float]) -> None:
    assert pieces["scores: wrong"] == 0
    assert pieces["dropout: processes draw the same"] == 0


@pytest.mark.parametrize("world_size", [2, 3])
def test_a_last_batch_that_not_all_processes_can_share_is_left_out(world_size: int) -> None:
    groups = [RowGroup(np.arange(10), 1.0)]
    whole = epoch_batches(groups, 4, seed=1, epoch=5)
    shared = epoch_batches(groups, 4, seed=1, epoch=5, world_size=world_size)
    assert [len(rows) for rows in whole] == [4, 4, 2]
    assert len(shared) == (3 if world_size == 2 else 2)
    assert all((one == other).all() for one, other in zip(whole, shared, strict=False))


def test_a_batch_of_fewer_samples_than_processes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"train\.batch_size: 4 samples cannot be shared by 8 processes"):
        check_share(TrainConfig(batch_size=4), TrainingPeers(rank=0, count=8))


@pytest.mark.parametrize("file", ["state.pt", "last.safetensors"])
def test_sigterm_to_one_process_stops_all_with_the_state_saved(folder: Path, file: str) -> None:
    """Before an epoch, and before dev is scored."""
    run = folder / "runs" / f"stopped-{file}"
    with start_peers(2, folder, "recipe.yaml", "--name", run.name, "--epochs", "500") as processes:
        wait_for(run / file)
        processes[1].send_signal(signal.SIGTERM)
        outputs = [process.communicate(timeout=WAIT)[0] for process in processes]
    assert all(f"continue with `fas train --resume runs/{run.name}`" in output for output in outputs), outputs
    assert not any("Traceback" in output for output in outputs), outputs
    assert [process.returncode for process in processes] == [128 + signal.SIGTERM] * 2, outputs
    assert not list(run.glob("**/*.part*"))
    assert load_state(run / "state.pt")["position"]["epoch"] < 500


def test_a_signal_while_an_epoch_is_saved_stops_all_processes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes to one process, after the last batch in which they agree on what to do."""
    Site(tmp_path).install("bk-stop", STOPPING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with start_peers(2, folder, "recipe.yaml", "--name", "saving") as processes:
        outputs = [process.communicate(timeout=WAIT)[0] for process in processes]
    assert [process.returncode for process in processes] == [128 + signal.SIGTERM] * 2, outputs
    assert not any("Traceback" in output for output in outputs), outputs
    assert load_state(folder / "runs" / "saving" / "state.pt")["position"]["epoch"] == 0


def test_a_process_that_dies_ends_the_others_and_the_run_continues(folder: Path) -> None:
    """It continues under `accelerate launch`."""
    run = folder / "runs" / "died"
    with start_peers(2, folder, "recipe.yaml", "--name", run.name, "--epochs", "500") as processes:
        wait_for(run / "state.pt")
        processes[1].kill()
        output, _ = processes[0].communicate(timeout=WAIT)
    assert "error: another of the 2 processes ended" in output
    assert f"continue with `fas train --resume runs/{run.name}`" in output
    assert "Traceback" not in output
    assert processes[0].returncode == 2

    epochs = load_state(run / "state.pt")["position"]["epoch"] + 1
    resume = ("-m", "fas_core", "train", "--resume", f"runs/{run.name}", "--epochs", str(epochs))
    call(folder, *ACCELERATE, *resume)
    assert Run.open(run, registry()).metrics()[-1]["epoch"] == epochs
    assert (run / "results.json").is_file()


@pytest.mark.long
def test_a_process_that_does_not_answer_ends_the_others_after_the_time_out(folder: Path) -> None:
    run = folder / "runs" / "silent"
    arguments = ("recipe.yaml", "--name", run.name, "--epochs", "500", "--set", "train.peer_timeout=10")
    with start_peers(2, folder, *arguments) as processes:
        wait_for(run / "state.pt")
        processes[1].send_signal(signal.SIGSTOP)
        output, _ = processes[0].communicate(timeout=WAIT)
    assert "did not answer for 10 s (train.peer_timeout)" in output
    assert processes[0].returncode == 2
    assert load_state(run / "state.pt")["position"]["epoch"] < 500
