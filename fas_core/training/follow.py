"""Following a run in training: the console's lines and bars, and the event hooks of plugins and trackers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from attrs import define, field
from torch import nn

from fas_core.config.load import to_plain
from fas_core.config.train import TrainConfig
from fas_core.console import console
from fas_core.errors import FasError
from fas_core.evaluation import Result
from fas_core.failures import describe_error
from fas_core.progress import Progress
from fas_core.records.run_events import CheckpointWritten, EpochFinished, RunFailed, RunFinished, RunStarted
from fas_core.records.samples import SampleTable
from fas_core.runs.run import Run
from fas_core.training.events import RunEvents, find_listeners
from fas_core.training.progress import TrainingProgress, format_epoch


class Followed(Protocol):
    """A run in training, as its following needs it."""

    run: Run
    train: SampleTable
    accelerator: Accelerator
    progress: TrainingProgress
    following: Following

    @property
    def model(self) -> nn.Module: ...
    @property
    def trained_module(self) -> nn.Module: ...


@define
class Following:
    """Tells of a run while it is trained; before `follow`, and in other processes, to no listener.

    Args:
        events: the event hooks.
        shown: the progress of the whole run, in samples.
    """

    run: Run
    events: RunEvents = field(factory=RunEvents)
    shown: Progress = field(factory=lambda: Progress("run", unit="samples"))
    _dev: dict[str, str] = field(factory=dict, init=False)
    _best_eer: float = field(default=1.0, init=False)

    def advance(self, samples: int) -> None:
        """Count samples that were trained on."""
        self.shown.advance(samples, **self._dev)

    def start(self, event: RunStarted) -> None:
        """Tell that training begins, or goes on."""
        for record in event.history:
            self._note_dev(record)
        self.events.send(event)

    def finish_epoch(self, record: Mapping[str, Any]) -> None:
        """Tell of a finished epoch, whose line of `metrics.jsonl` is `record`."""
        config, epoch = self.run.recipe.train, record["epoch"]
        console.info(format_epoch(record, config))
        self._note_dev(record)
        done = count_samples(self.shown.total or 0, config, epoch)
        self.advance(max(done - self.shown.done, 0))
        self.events.send(EpochFinished(self.run.path, epoch, record))

    def tell_checkpoint(self, file: Path, progress: TrainingProgress) -> None:
        """Tell that the training state was written."""
        self.events.send(CheckpointWritten(self.run.path, file, progress.epoch, progress.batch))

    def finish(self, results: Mapping[str, Result], train_hours: float) -> None:
        """Tell that the run is trained and evaluated."""
        documents = {split: result.to_json() for split, result in results.items()}
        self.events.send(RunFinished(self.run.path, documents, train_hours))

    def fail(self, error: BaseException) -> None:
        """Tell that the run ended early."""
        reason = error.message if isinstance(error, FasError) else describe_error(error)
        self.events.send(RunFailed(self.run.path, reason, interrupted=not isinstance(error, Exception)))

    def _note_dev(self, record: Mapping[str, Any]) -> None:
        """Note the dev figures of an epoch, to show them with the progress."""
        if (eer := (record.get("dev") or {}).get("eer")) is not None:
            self._best_eer = min(self._best_eer, eer)
            self._dev = {"EER": f"{100 * eer:.2f} %", "best": f"{100 * self._best_eer:.2f} %"}


@contextmanager
def follow(training: Followed) -> Iterator[None]:
    """Follow a run in training through the block: a bar of the whole run, its events, and how it failed."""
    run, config, is_main = training.run, training.run.recipe.train, training.accelerator.is_main_process
    event = _describe_start(training)
    console.info(format_start(event, training.accelerator))
    passes = config.epochs if config.solver == "gradient" else 1 + config.copies
    total = passes * len(training.train)
    done = count_samples(total, config, training.progress.epoch) + training.progress.images
    listeners = list(find_listeners(run.recipe, run.registry)) if is_main else []
    with console.progress("run", total, "samples", done=done) as shown:
        training.following = Following(run, RunEvents(listeners), shown)
        training.following.start(event)
        try:
            yield
        except BaseException as error:
            training.following.fail(error)
            raise


def _describe_start(training: Followed) -> RunStarted:
    run, finished = training.run, training.progress.epoch
    return RunStarted(
        path=run.path,
        recipe=to_plain(run.recipe, run.registry),
        device=str(training.accelerator.device),
        parameters=sum(tensor.numel() for tensor in training.model.parameters()),
        trainable=sum(
            tensor.numel() for tensor in training.trained_module.parameters() if tensor.requires_grad
        ),
        epochs=run.recipe.train.last_epoch,
        history=tuple(record for record in run.metrics() if record["epoch"] <= finished),
    )


def count_samples(total: int, config: TrainConfig, epochs: int) -> int:
    """Return how many samples of a run's total its first epochs have."""
    return total * epochs // config.last_epoch


def format_start(event: RunStarted, accelerator: Accelerator) -> str:
    """Return e.g. `device cpu (2 threads): 346,082 parameters, all trained`."""
    device = accelerator.device
    threads = torch.get_num_threads()
    kind = f"{threads} thread{'s' if threads > 1 else ''}"
    if device.type == "cuda":
        kind = torch.cuda.get_device_name(device)
    processes = f" x {accelerator.num_processes} processes" if accelerator.num_processes > 1 else ""
    trained = "all" if event.trainable == event.parameters else f"{event.trainable:,} of them"
    return f"device {device} ({kind}){processes}: {event.parameters:,} parameters, {trained} trained"
