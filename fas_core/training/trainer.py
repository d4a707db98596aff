"""The training loop: train an epoch, score dev, keep the best and the last weights; resuming is exact."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from attrs import define, field

from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.data.loader import TrainingLoader, training_loader
from fas_core.errors import ConfigError
from fas_core.interruption import Interruption, interruptible
from fas_core.models.build import build_model
from fas_core.models.model import Model
from fas_core.records.samples import SampleTable
from fas_core.runs import files
from fas_core.runs.run import Run
from fas_core.training.dev import judge
from fas_core.training.distillation import distil, load_teacher
from fas_core.training.distribution import TrainingPeers, check_share, join_peers, seed_process
from fas_core.training.divergence import DivergedError, are_finite
from fas_core.training.follow import Following
from fas_core.training.loss import build_loss, check_targets, list_target_modalities
from fas_core.training.process import keep_freed_memory, release_freed_memory
from fas_core.training.progress import TrainingProgress
from fas_core.training.state import read_training_state, write_training_state
from fas_core.training.step import PendingLosses
from fas_core.training.updates import Updater


@define
class Training:
    """A run in training: `prepare` builds it, `restore` continues an interrupted one, `fit` trains it."""

    run: Run
    train: SampleTable
    dev: SampleTable | None
    accelerator: Accelerator
    peers: TrainingPeers
    updater: Updater
    batches: TrainingLoader
    progress: TrainingProgress = field(factory=TrainingProgress)
    saved: str = field(default="no time", init=False)
    checkpoint_due: float = field(default=math.inf, init=False)
    following: Following = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.following = Following(self.run)

    @classmethod
    def prepare(
        cls, run: Run, train: SampleTable, dev: SampleTable | None, accelerator: Accelerator
    ) -> Training:
        """Build model, loss and optimizer, with seeded weights; raise DataError if the loss lacks images."""
        recipe = run.recipe
        if recipe.train.patience is not None and dev is None:
            raise ConfigError("train.patience: there is no dev split to judge the epochs by: leave it out")
        if accelerator.device.type == "cpu":
            keep_freed_memory()
        teacher = load_teacher(recipe, run.registry, accelerator)  # draws random numbers: before the seed
        torch.manual_seed(recipe.train.seed)
        model = build_model(recipe, run.registry)
        loss = build_loss(recipe.loss, run.registry, model)
        check_targets(recipe.loss.name, loss, train)
        batches = training_loader(
            train,
            recipe,
            registry=run.registry,
            also=list_target_modalities(loss),
            rank=accelerator.process_index,
            world_size=accelerator.num_processes,
            pin=accelerator.device.type == "cuda",
        )
        peers = join_peers(accelerator, recipe.train.peer_timeout)
        check_share(recipe.train, peers)
        updater = Updater.prepare(
            recipe.train,
            run.registry,
            accelerator,
            peers,
            model,
            distil(loss, teacher, recipe, model),
            updates_per_epoch=len(batches),
        )
        training = cls(run, train, dev, accelerator, peers, updater, batches)
        training._seed_dropout()
        return training

    @property
    def recipe(self) -> Recipe:
        return self.run.recipe

    @property
    def model(self) -> Model:
        """The model that is trained."""
        return self.updater.model

    @property
    def trained_module(self) -> Model:
        """What is trained, but for parameters of the loss."""
        return self.updater.model

    def fit(self, after_epoch: Callable[[], None] | None = None) -> None:
        """Train to the last epoch; `after_epoch` is called once the figures and the state of one are saved.

        Raises:
            Interrupted: by a signal; the state is saved, and `restore` continues from it.
            DivergedError: the loss or the weights are not finite; the state saved before stays.
            FasError: an image cannot be read, or a process that reads them, or that trains with this one,
                died.
        """
        config, path = self.recipe.train, self.run.path / files.STATE
        with interruptible() as interruption, closing(self.batches), self.peers.naming_failures():
            interruption.continue_on_usr1 = config.on_usr1 == "continue"
            interruption.check()
            with interruption.stepping() if self.peers.count > 1 else nullcontext():
                if self.peers.any(not path.is_file()):
                    with self._step(interruption):
                        self._save_state()
                while self.progress.epoch < config.epochs and not self.progress.is_out_of_patience(config):
                    with self._step(interruption):
                        self._train_epoch(interruption)
                        self._save_state()
                    self._end_epoch(interruption)
                    if after_epoch is not None:
                        after_epoch()

    @contextmanager
    def _step(self, interruption: Interruption) -> Iterator[None]:
        """Let the block end by itself; then raise Interrupted if a signal has come to any of the processes.

        Of several processes none may stop elsewhere: the others would wait for it, and then take it for dead.
        """
        with interruption.stepping():
            yield
            stops, _ = self._share_requests(interruption)
        if stops:
            interruption.check()

    def _train_epoch(self, interruption: Interruption) -> None:
        """Train on the rest of the epoch's batches, or until an interruption."""
        progress, config = self.progress, self.recipe.train
        self.updater.start_epoch()
        self.batches.start_epoch(progress.epoch, progress.batch)
        total = progress.images + self.batches.samples
        description = f"epoch {progress.epoch + 1}/{config.epochs}"
        start = time.perf_counter() - progress.seconds
        pending, loss = PendingLosses(self.accelerator.device), f"{progress.mean_loss:.4f}"
        with console.progress(description, total, "samples", done=progress.images) as shown:
            for batch in self.batches:
                rate = self.updater.set_rate(progress.epoch, progress.batch)
                pending.add(self.updater.update(batch))
                progress.batch += 1
                progress.images += batch.total
                progress.seconds = time.perf_counter() - start
                if pending.due:
                    self._read_losses(pending)
                    loss = f"{progress.mean_loss:.4f}"
                shown.advance(batch.total, loss=loss, lr=f"{rate:.2g}")
                self.following.advance(batch.total)
                stops, saves = self._share_requests(interruption)
                if stops:
                    break
                if saves:
                    self._read_losses(pending)
                    self._save_state()
            self._read_losses(pending)
            progress.seconds = time.perf_counter() - start

    def _share_requests(self, interruption: Interruption) -> tuple[bool, bool]:
        """Return whether training is to stop, and to save, as any of its processes was asked to."""
        saves = interruption.take_save_request() or time.monotonic() > self.checkpoint_due
        stopping, saving = self.peers.sum([interruption.requested, saves])
        if stopping:
            interruption.request()
        return stopping > 0, saving > 0

    def _read_losses(self, pending: PendingLosses) -> None:
        """Add the losses of the batches since the last reading, over all processes, to the progress.

        Raises:
            DivergedError: one of them is not finite.
        """
        progress, losses = self.progress, self.peers.mean(pending.read())
        first = progress.batch - len(losses) + 1
        for step, loss in enumerate(losses, first):
            self._require(math.isfinite(loss), f"the loss of step {step} is {loss}")
            progress.loss += loss

    def _require(self, is_finite: bool, problem: str) -> None:
        """Raise DivergedError unless all is finite: nothing that came of it may be saved."""
        if is_finite:
            return
        epoch, rate = self.progress.epoch + 1, self._last_rate()
        raise DivergedError(
            f"{self.run.path}: diverged in epoch {epoch} at learning rate {rate:.3g}: {problem}; what "
            f"was saved at {self.saved} stays: train anew with a lower train.lr"
        )

    def _last_rate(self) -> float:
        """Return the learning rate of the last update."""
        return self.updater.compute_rate(self.progress.epoch, max(self.progress.batch - 1, 0))

    def _seed_dropout(self) -> None:
        """Give each process random numbers of its own; those of the main one are as they are."""
        seed_process(self.recipe.train.seed, self.progress.epoch, self.progress.batch, self.peers)

    def _end_epoch(self, interruption: Interruption) -> None:
        """Judge the epoch, and go on to the next one.

        A signal ends the judging of one process at once; several stop together after it.
        """
        if self.peers.count == 1:
            record = self._judge_epoch()
        with self._step(interruption):
            if self.peers.count > 1:
                record = self._judge_epoch()
            self._finish_epoch(record)
            self._save_state()

    def _judge_epoch(self) -> dict[str, Any]:
        """Save the weights and evaluate dev; return the line of `metrics.jsonl`."""
        release_freed_memory()
        model = self.updater.evaluated_model
        if self.accelerator.is_main_process:
            self.run.save_weights(model, "last")
        self.peers.wait()
        record = self.progress.to_record(self._last_rate())
        record |= judge(self.run, model, self.dev, self.progress, self.peers)
        if self.progress.is_out_of_patience(self.recipe.train):
            record["stopped_early"] = True
        return record

    def _finish_epoch(self, record: dict[str, Any]) -> None:
        """Add the epoch's line to `metrics.jsonl`, in the main process, and go on to the next epoch."""
        if self.accelerator.is_main_process:
            self.run.append_metrics(record)
            self.following.finish_epoch(record)
        self.progress = self.progress.next_epoch()

    def _save_state(self) -> None:
        """Write the training state, unless its weights are not finite."""
        is_finite = are_finite(self.model, self.updater.loss)
        self._require(is_finite, f"weights are not finite after step {self.progress.batch}")
        if self.accelerator.is_main_process:
            self.run.require_folder()
            write_training_state(self.run.path / files.STATE, self.updater, self.progress)
            self.following.tell_checkpoint(self.run.path / files.STATE, self.progress)
        self.peers.wait()
        self._note_saved()

    def _note_saved(self) -> None:
        """Note what the state in the run folder is of, and when the next one is due within an epoch."""
        self.saved = self.progress.describe()
        self.checkpoint_due = time.monotonic() + 60 * self.recipe.train.checkpoint_minutes

    def restore(self) -> None:
        """Continue from the state in the run folder; raise ModelError if it is missing or does not fit."""
        path = self.run.path / files.STATE
        self.progress = read_training_state(path, self.updater)
        self._note_saved()
        self._seed_dropout()
