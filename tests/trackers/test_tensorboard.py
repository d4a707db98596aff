"""The tracker `tensorboard`, and accelerate's: their event files are read back as TensorBoard reads them."""

from __future__ import annotations

import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from fas_core import FasError, NoOptions
from fas_core.contracts import EpochFinished, RunFinished, RunStarted
from fas_plugins.trackers import accelerate
from fas_plugins.trackers.accelerate import AccelerateTracker
from fas_plugins.trackers.options import AccelerateOptions
from fas_plugins.trackers.tensorboard import TensorBoard

EPOCHS = [
    {"epoch": epoch, "loss": 1 / epoch, "lr": 0.01, "dev": {"eer": 0.5**epoch}} for epoch in range(1, 4)
]


def start(path: Path, finished: int = 0) -> RunStarted:
    recipe = {"train": {"lr": 0.01, "freeze": [], "C": None}}
    return RunStarted(path, recipe, "cpu", 1, 1, len(EPOCHS), tuple(EPOCHS[:finished]))


def follow(tracker: Any, path: Path, numbers: range, finished: int = 0) -> None:
    tracker.fas_run_started(start(path, finished))
    for number in numbers:
        tracker.fas_epoch_finished(EpochFinished(path, number, EPOCHS[number - 1]))


def read_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        name: [(item.step, item.value) for item in events.Scalars(name)] for name in events.Tags()["scalars"]
    }


def test_figures_are_scalars_by_epoch_and_the_final_ones_apart(tmp_path: Path) -> None:
    tracker = TensorBoard(NoOptions())
    follow(tracker, tmp_path, range(1, 4))
    tracker.fas_run_finished(RunFinished(tmp_path, {"test": {"metrics": {"acer": 0.25, "auc": None}}}, 0.1))

    scalars = read_scalars(tmp_path / "tensorboard")
    assert set(scalars) == {"train/loss", "train/lr", "dev/eer", "final/test/acer"}
    assert scalars["dev/eer"] == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert scalars["train/loss"][1] == (2, 0.5)
    assert scalars["final/test/acer"] == [(3, 0.25)]


def test_epochs_that_are_trained_again_replace_the_former_ones(tmp_path: Path) -> None:
    stopped = TensorBoard(NoOptions())
    follow(stopped, tmp_path, range(1, 4))
    stopped.fas_run_failed()
    (first,) = (tmp_path / "tensorboard").iterdir()
    first.rename(first.with_name("events.out.tfevents.0"))  # as files of one second are not in order
    again = TensorBoard(NoOptions())
    follow(again, tmp_path, range(2, 4), finished=1)
    again.fas_run_failed()
    assert [step for step, _ in read_scalars(tmp_path / "tensorboard")["dev/eer"]] == [1, 2, 3]


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fas_core.errors.find_spec", lambda name: None)
    with pytest.raises(FasError, match=r"pip install 'fas-core\[tensorboard\]'"):
        TensorBoard(NoOptions())


def test_accelerate_logs_epochs_and_final_figures(tmp_path: Path) -> None:
    tracker = AccelerateTracker(AccelerateOptions("tensorboard", project="lab"))
    follow(tracker, tmp_path, range(1, 4))
    tracker.fas_run_finished(RunFinished(tmp_path, {"test": {"metrics": {"acer": 0.25}}}, 0.1))
    scalars = read_scalars(tmp_path / "lab")
    assert scalars["dev/eer"] == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert scalars["final/test/acer"] == [(3, 0.25)]


def test_a_service_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerate, "find_spec", lambda name: None)
    with pytest.raises(FasError, match="comet_ml is not installed: pip install comet-ml"):
        AccelerateTracker(AccelerateOptions("comet_ml"))


def test_names_are_those_that_mlflow_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow itself is not installed here: the names that its tracker gets are looked at as MLflow does."""
    names: list[str] = []

    class Tracker:
        requires_logging_directory = False

        def __init__(self, project: str, **settings: Any) -> None:
            assert (project, settings) == ("lab", {"run_name": "a"})

        def start(self) -> None: ...

        def finish(self) -> None: ...

        def log(self, values: dict[str, Any], step: int | None = None) -> None:
            names.extend(values)

        store_init_configuration = log

    monkeypatch.setattr(accelerate, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setitem(accelerate.LOGGER_TYPE_TO_CLASS, "mlflow", Tracker)
    tracker = AccelerateTracker(AccelerateOptions("mlflow", project="lab"))
    recipe = {"train": {"layer_lr": {"backbones.*": 0.1}}}
    tracker.fas_run_started(RunStarted(tmp_path / "a", recipe, "cpu", 1, 1, 1, ()))
    tracker.fas_epoch_finished(EpochFinished(tmp_path / "a", 1, {"epoch": 1, "dev": {"tpr@fpr=1e-2": 0.5}}))
    tracker.fas_run_finished(RunFinished(tmp_path / "a", {"test": {"metrics": {"tpr@fpr=1e-2": 0.5}}}, 0.1))
    assert names == ["run", "train/layer_lr/backbones._", "dev/tpr_fpr_1e-2", "final/test/tpr_fpr_1e-2"]
    assert all(re.fullmatch(r"[\w\-. :/]+", name) for name in names)


def test_settings_and_the_name_of_the_run_reach_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """wandb itself is not installed here: what accelerate calls of it is recorded."""
    calls: list[tuple[str, Any]] = []

    class Wandb:
        __spec__ = ModuleSpec("wandb", None)

        class config:  # noqa: N801
            @staticmethod
            def update(values: dict[str, Any], allow_val_change: bool) -> None:
                calls.append(("config", values))

        @classmethod
        def init(cls, **settings: Any) -> type[Wandb]:
            calls.append(("init", settings))
            return cls

        @staticmethod
        def log(values: dict[str, float], step: int) -> None:
            calls.append(("log", (step, values)))

        @staticmethod
        def finish() -> None:
            calls.append(("finish", None))

    monkeypatch.setitem(sys.modules, "wandb", Wandb)
    tracker = AccelerateTracker(AccelerateOptions("wandb", project="lab", settings={"mode": "offline"}))
    follow(tracker, tmp_path / "a", range(2, 3))
    tracker.fas_run_failed()
    assert calls == [
        ("init", {"project": "lab", "mode": "offline", "name": "a"}),
        (
            "config",
            {"run": str(tmp_path / "a"), "train/lr": 0.01, "train/freeze": "[]", "train/C": "None"},
        ),
        ("log", (2, {"loss": 0.5, "lr": 0.01, "dev/eer": 0.25})),
        ("finish", None),
    ]
