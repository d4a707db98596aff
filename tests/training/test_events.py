"""The event hooks of a run: what plugins and trackers are told, and that nothing they do changes the run."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from fixtures.followed import make_training
from fixtures.recipes import plain_recipe
from fixtures.strangers import IMPORTS, Here
from safetensors.torch import load_file
from torch import Tensor

from fas_core.config.recipe import Recipe
from fas_core.errors import FasError
from fas_core.hookspecs import EVENTS
from fas_core.records.run_events import CheckpointWritten, EpochFinished, RunFailed, RunFinished, RunStarted
from fas_core.registry import registry
from fas_core.training import job
from fas_core.training.follow import follow
from fas_core.training.updates import Updater

MakeRecipe = Callable[..., Recipe]
RECORDING = "events = []\n" + "".join(
    f"@hookimpl\ndef {hook}(event):\n    events.append(event)\n" for hook in EVENTS
)
FAILING = "".join(f"@hookimpl\ndef {hook}(event):\n    {{}}\n" for hook in EVENTS)
TRACKER = "@hookimpl\ndef fas_trackers():\n    yield Tracker(name='board', summary='', target='bk_x:Board')\n"
BOARD = """
class Board:
    def __init__(self, options):
        self.told = []
    @hookimpl
    def fas_epoch_finished(self, event):
        self.told.append(event.epoch)
    @hookimpl
    def fas_run_finished(self, event):
        (event.path / "board.txt").write_text(str(self.told))
"""


def install(here: Here, code: str) -> None:
    here.install("bk-x", f"{IMPORTS}from fas_core import Tracker\n{code}", version="0.1")


@pytest.fixture
def events(here: Here) -> list[Any]:
    """What a plugin of somebody else has been told so far."""
    install(here, RECORDING)
    registry()
    told: list[Any] = sys.modules["bk_x"].events
    return told


def test_a_plugin_is_told_of_a_run_from_its_start_to_its_end(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, events: list[Any]
) -> None:
    outcome = job.start(tmp_path / "run", make_recipe(training_faces, epochs=2), registry())

    checkpoints = [event for event in events if isinstance(event, CheckpointWritten)]
    others = [type(event) for event in events if event not in checkpoints]
    assert others == [RunStarted, EpochFinished, EpochFinished, RunFinished]
    assert {event.path for event in events} == {tmp_path / "run"}
    start, epochs = events[0], [event for event in events if isinstance(event, EpochFinished)]
    parameters = sum(tensor.numel() for tensor in outcome.run.model().parameters())
    assert (start.device, start.parameters, start.trainable) == ("cpu", parameters, parameters)
    assert (start.epochs, start.history, start.recipe["train"]["lr"]) == (2, (), 0.02)
    assert [event.record for event in epochs] == outcome.run.metrics()
    assert epochs[0].figures["dev/eer"] == outcome.run.metrics()[0]["dev"]["eer"]
    assert {(0, 4), (1, 0), (1, 4), (2, 0)} <= {(event.epoch, event.batch) for event in checkpoints}
    assert checkpoints[0].file == tmp_path / "run" / "state.pt"
    written = json.loads((tmp_path / "run" / "results.json").read_text())
    assert events[-1].results["test"]["metrics"] == written["splits"]["test"]["metrics"]
    assert events[-1].train_hours == outcome.train_hours


def test_a_run_that_goes_on_has_the_records_of_the_epochs_before(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, events: list[Any]
) -> None:
    job.start(tmp_path / "run", make_recipe(training_faces, epochs=1), registry())
    events.clear()
    outcome = job.resume(tmp_path / "run", registry(), {"train.epochs": 2})
    assert events[0].history == tuple(outcome.run.metrics()[:1])
    assert [event.epoch for event in events if isinstance(event, EpochFinished)] == [2]


def test_a_run_that_is_stopped_and_one_that_fails_are_told_apart(
    training_faces: Path,
    tmp_path: Path,
    make_recipe: MakeRecipe,
    events: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(self: Updater, batch: object) -> Tensor:
        signal.raise_signal(signal.SIGINT)
        return torch.tensor(0.5)

    def fail(self: Updater, batch: object) -> Tensor:
        raise FasError("the loss is nan")

    for step, error in ((stop, KeyboardInterrupt), (fail, FasError)):
        monkeypatch.setattr(Updater, "update", step)
        with pytest.raises(error):
            job.start(tmp_path / step.__name__, make_recipe(training_faces), registry())
    failures = [event for event in events if isinstance(event, RunFailed)]
    assert [event.interrupted for event in failures] == [True, False]
    assert failures[1].error == "the loss is nan"
    assert not any(isinstance(event, RunFinished) for event in events)


def test_the_convex_solver_has_the_same_events(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, events: list[Any]
) -> None:
    model = {"backbone": {"name": "feathernet_b", "head": "linear"}}
    recipe = make_recipe(training_faces, {"model": model}, solver="convex", C=1.0)
    outcome = job.start(tmp_path / "run", recipe, registry())
    kinds = [type(event) for event in events]
    assert (kinds[0], kinds[-1]) == (RunStarted, RunFinished)
    (epoch,) = [event for event in events if isinstance(event, EpochFinished)]
    assert epoch.record == outcome.run.metrics()[0]
    assert 0 < events[0].trainable < events[0].parameters


def write_recipe(tmp_path: Path, root: Path, **train: Any) -> Path:
    tree = plain_recipe(root, epochs=2, **train) | {"metrics": ["acc"]}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tree))
    return tmp_path / "tiny.yaml"


@pytest.mark.parametrize("failure", ["1 / 0", "raise SystemExit(3)"])
def test_a_plugin_that_fails_costs_one_warning(
    here: Here, training_faces: Path, tmp_path: Path, failure: str
) -> None:
    install(here, FAILING.format(*[failure] * len(EVENTS)))
    recipe = write_recipe(tmp_path, training_faces)
    done = here.fas("train", recipe, "--runs", tmp_path, "--json", "--verbose")
    assert set(json.loads(done.stdout)["splits"]) == {"dev", "test"}
    (line,) = [line for line in done.stderr.splitlines() if "plugin 'bk_x'" in line]
    error = "ZeroDivisionError: division by zero" if failure == "1 / 0" else "SystemExit: 3"
    assert line.startswith(f"warning: plugin 'bk_x' of bk-x 0.1 failed: {error} (")
    assert line.endswith("bk_x.py:5); the run goes on, without further such warnings")
    assert done.stderr.count("Traceback") == 1


def test_what_a_plugin_prints_goes_to_stderr(here: Here, training_faces: Path, tmp_path: Path) -> None:
    install(here, "@hookimpl\ndef fas_epoch_finished(event):\n    print('told')\n")
    done = here.fas("train", write_recipe(tmp_path, training_faces), "--runs", tmp_path, "--json")
    assert "splits" in json.loads(done.stdout)
    assert done.stderr.count("told\n") == 2


def test_random_numbers_of_a_plugin_are_not_those_of_the_training(
    training_faces: Path, tmp_path: Path, make_recipe: MakeRecipe, here: Here
) -> None:
    model = {"backbone": {"name": "mobilenetv2", "dropout": 0.5, "width": 0.35}, "input_size": 32}
    recipe = make_recipe(training_faces, {"model": model}, epochs=2)
    job.start(tmp_path / "alone", recipe, registry())
    install(here, "import torch\n" + FAILING.format(*["torch.manual_seed(1)"] * len(EVENTS)))
    job.start(tmp_path / "followed", recipe, registry())
    alone, followed = (load_file(tmp_path / name / "last.safetensors") for name in ("alone", "followed"))
    assert all(torch.equal(alone[key], followed[key]) for key in alone)


@pytest.mark.parametrize(("is_main", "count"), [(True, 1), (False, 0)])
def test_only_the_main_process_tells(
    tmp_path: Path, make_recipe: MakeRecipe, events: list[Any], is_main: bool, count: int
) -> None:
    with follow(make_training(tmp_path, make_recipe(tmp_path), is_main=is_main)):
        assert len(events) == count


def test_a_tracker_that_the_recipe_chooses_follows_its_run(
    here: Here, training_faces: Path, tmp_path: Path
) -> None:
    install(here, TRACKER + BOARD)
    recipe = write_recipe(tmp_path, training_faces, trackers=["board", "csv"])
    here.fas("train", recipe, "--runs", tmp_path, "-q")
    assert (tmp_path / "tiny" / "board.txt").read_text() == "[1, 2]"
    assert (tmp_path / "tiny" / "epochs.csv").read_text().startswith("epoch,loss,lr,")
    environment = json.loads((tmp_path / "tiny" / "environment.json").read_text())
    assert environment["plugins"]["bk-x"]["components"] == ["tracker board"]

    here.uninstall("bk-x")
    done = here.fas("train", "--resume", tmp_path / "tiny", "--epochs", "3")
    needs = "warning: tracker 'board': needs bk-x 0.1: pip install bk-x; the run goes on without it\n"
    assert needs in done.stderr
    assert len((tmp_path / "tiny" / "epochs.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (BOARD.replace("self.told = []", "1 / 0"), "failed: ZeroDivisionError: division by zero ("),
        ("", "loading bk_x:Board failed: AttributeError: module 'bk_x' has no attribute 'Board'"),
        (
            BOARD.replace("    @hookimpl\n", ""),
            "bk_x:Board implements no hook: mark one with @fas_core.hookimpl",
        ),
        (
            BOARD.replace("fas_epoch_finished", "fas_epoch_ended"),
            "failed: PluginValidationError: unknown hook",
        ),
    ],
    ids=["raises", "missing", "no hook", "unknown hook"],
)
def test_a_tracker_that_cannot_be_made_costs_one_warning(
    here: Here,
    tmp_path: Path,
    make_recipe: MakeRecipe,
    capsys: pytest.CaptureFixture[str],
    code: str,
    message: str,
) -> None:
    install(here, TRACKER + code)
    with follow(make_training(tmp_path, make_recipe(tmp_path, trackers=["board", "csv"]))):
        pass
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: tracker 'board' of bk-x 0.1")
    assert message in line
    assert line.endswith("; the run goes on without it")


def test_a_tracker_that_is_not_known_is_refused_before_training(
    here: Here, training_faces: Path, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path, training_faces, trackers=["tensorbord"])
    done = here.fas("train", recipe, "--runs", tmp_path, expected=2)
    assert "train.trackers[0].name: tracker 'tensorbord': no plugin provides it" in done.stderr
    assert "did you mean 'tensorboard'" in done.stderr
    assert not (tmp_path / "tiny").exists()
