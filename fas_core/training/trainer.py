"""The training loop: train an epoch, score dev, keep the best and the last weights; resuming is exact."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from attrs import asdict, define, field
from torch import Tensor, nn

from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.console import console
from fas_core.data.loader import TrainingLoader, training_loader
from fas_core.data.reading_processes import name_worker_failures
from fas_core.errors import ConfigError, FasError, ModelError
from fas_core.interruption import Interruption, interruptible
from fas_core.models.build import build_model
from fas_core.models.checkpoint import load_state, save_state, save_weights
from fas_core.models.model import Model
from fas_core.models.pickled import DAMAGE
from fas_core.records.outputs import Batch
from fas_core.records.samples import SampleTable
from fas_core.runs import files
from fas_core.runs.run import Run
from fas_core.training.dev import evaluate_dev
from fas_core.training.distribution import (
    LossOfBatch,
    TrainingPeers,
    check_share,
    distribute,
    join_peers,
    seed_process,
)
from fas_core.training.divergence import DivergedError, are_finite
from fas_core.training.follow import Following
from fas_core.training.layers import freeze_layers, group_parameters, set_training_mode
from fas_core.training.loss import build_loss, check_targets, list_target_modalities
from fas_core.training.optim import MovingAverage, build_optimizer, learning_rate, load_optimizer_state
from fas_core.training.process import keep_freed_memory, release_freed_memory
from fas_core.training.progress import TrainingProgress
from fas_core.training.step import PendingLosses, compile_forward, split_batch


@define
class Training:
    """A run in training: `prepare` builds it, `restore` continues an interrupted one, `fit` trains it.

    `step` is the loss of a batch by model and loss, joined to those of the other processes.
    """

    run: Run
    train: SampleTable
    dev: SampleTable | None
    accelerator: Accelerator
    peers: TrainingPeers
    model: Model
    loss: nn.Module
    step: nn.Module
    optimizer: Any
    batches: TrainingLoader
    average: MovingAverage | None = None
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
        """Build model, loss and optimiser, with seeded weights; raise DataError if the loss lacks images."""
        recipe = run.recipe
        if recipe.train.patience is not None and dev is None:
            raise ConfigError("train.patience: there is no dev split to judge the epochs by: leave it out")
        if accelerator.device.type == "cpu":
            keep_freed_memory()
        torch.manual_seed(recipe.train.seed)
        model = build_model(recipe, run.registry)
        loss = build_loss(recipe.loss, run.registry, model)
        check_targets(recipe.loss.name, loss, train)
        batches = training_loader(
            train,
            recipe,
            also=list_target_modalities(loss),
            rank=accelerator.process_index,
            world_size=accelerator.num_processes,
            pin=accelerator.device.type == "cuda",
        )
        freeze_layers(model, recipe.train.freeze)
        optimizer = build_optimizer(recipe.train, group_parameters(model, loss, recipe.train))
        peers = join_peers(accelerator, recipe.train.peer_timeout)
        check_share(recipe.train, peers)
        forward = compile_forward(model) if recipe.train.compile else model
        step = distribute(LossOfBatch(model, loss, forward, accelerator.autocast), accelerator)
        optimizer = accelerator.prepare(optimizer)
        training = cls(run, train, dev, accelerator, peers, model, loss, step, optimizer, batches)
        training.seed_dropout()
        if recipe.train.average:
            training.average = MovingAverage(training.unwrapped_model, recipe.train.average)
        return training

    @property
    def recipe(self) -> Recipe:
        return self.run.recipe

    @property
    def unwrapped_model(self) -> Model:
        """The model itself, without the wrapper that distributes it over processes."""
        return self.model

    @property
    def trained_module(self) -> Model:
        """What is trained, but for parameters of the loss."""
        return self.unwrapped_model

    @property
    def evaluated_model(self) -> Model:
        """The model that is scored and saved: the trained one, or the moving average of its weights."""
        return self.unwrapped_model if self.average is None else self.average.model

    def fit(self, after_epoch: Callable[[], None] | None = None) -> None:
        """Train to the last epoch; `after_epoch` is called once the figures and the state of one are saved.

        Raises:
            Interrupted: by a signal; the state is saved, and `restore` continues from it.
            DivergedError: the loss or the weights are not finite; the state saved before stays.
            FasError: an image cannot be read, or a process that reads them, or that trains with this one,
                died.
        """
        config, path = self.recipe.train, self.run.path / files.STATE
        with (
            interruptible() as interruption,
            closing(self.batches),
            name_worker_failures(),
            self.peers.naming_failures(),
        ):
            interruption.continue_on_usr1 = config.on_usr1 == "continue"
            interruption.check()
            if self.peers.any(not path.is_file()):
                self._save_state()
            while self.progress.epoch < config.epochs and not self.progress.is_out_of_patience(config):
                with interruption.stepping():
                    self._train_epoch(interruption)
                    self._save_state()
                record = self._judge_epoch()
                with interruption.stepping():
                    self._finish_epoch(record)
                    self._save_state()
                    self._share_requests(interruption)
                if after_epoch is not None:
                    after_epoch()

    def _train_epoch(self, interruption: Interruption) -> None:
        """Train on the rest of the epoch's batches, or until an interruption."""
        progress, config = self.progress, self.recipe.train
        rate = learning_rate(config, progress.epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["lr_factor"]
        self.batches.start_epoch(progress.epoch, progress.batch)
        set_training_mode(self.unwrapped_model, config.freeze)
        total = progress.images + self.batches.samples
        description = f"epoch {progress.epoch + 1}/{config.epochs}"
        start = time.perf_counter() - progress.seconds
        pending, loss = PendingLosses(self.accelerator.device), f"{progress.mean_loss:.4f}"
        with console.progress(description, total, "samples", done=progress.images) as shown:
            for batch in self.batches:
                pending.add(self._train_batch(batch))
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

    def _train_batch(self, batch: Batch) -> Tensor:
        """Update the weights once; return the loss before the update, which the device may still compute."""
        config = self.recipe.train
        smallest = batch.total // self.peers.count  # all processes have as many parts
        parts = split_batch(self._to_device(batch), min(config.accumulate, max(smallest // 2, 1)))
        loss = torch.zeros((), device=self.accelerator.device)
        for number, part in enumerate(parts, 1):
            # Processes exchange gradients once, with those of the last part.
            with nullcontext() if number == len(parts) else self.accelerator.no_sync(self.step):
                loss += self._add_gradients(part, self.peers.count * len(part.label) / batch.total)
        if config.clip is not None:
            parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
            self.accelerator.clip_grad_norm_(parameters, config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.unwrapped_model)
        return loss

    def _add_gradients(self, part: Batch, share: float) -> Tensor:
        """Add the gradients of a part of a batch, and return its loss, both weighted by its share of it."""
        loss: Tensor = share * self.step(part)
        self.accelerator.backward(loss)
        return loss.detach()

    def _require(self, is_finite: bool, problem: str) -> None:
        """Raise DivergedError unless all is finite: nothing that came of it may be saved."""
        if is_finite:
            return
        epoch, rate = self.progress.epoch, learning_rate(self.recipe.train, self.progress.epoch)
        raise DivergedError(
            f"{self.run.path}: diverged in epoch {epoch + 1} at learning rate {rate:.3g}: {problem}; what "
            f"was saved at {self.saved} stays: train anew with a lower train.lr"
        )

    def _to_device(self, batch: Batch) -> Batch:
        device = self.accelerator.device
        images = {name: pixels.to(device, non_blocking=True) for name, pixels in batch.images.items()}
        presence = None if batch.presence is None else batch.presence.to(device, non_blocking=True)
        label = batch.label.to(device, non_blocking=True)
        return Batch(images, label, batch.index, presence, batch.total)

    def seed_dropout(self) -> None:
        """Give each process random numbers of its own; those of the main one are as they are."""
        seed_process(self.recipe.train.seed, self.progress.epoch, self.progress.batch, self.peers)

    def _judge_epoch(self) -> dict[str, Any]:
        """Save the weights and evaluate dev; return the line of `metrics.jsonl`."""
        release_freed_memory()
        if self.accelerator.is_main_process:
            save_weights(self.evaluated_model, self.run.weights("last"))
        self.peers.wait()
        rate = learning_rate(self.recipe.train, self.progress.epoch)
        record = self.progress.to_record(rate) | self._evaluate_dev()
        if self.progress.is_out_of_patience(self.recipe.train):
            record["stopped_early"] = True
        return record

    def _finish_epoch(self, record: dict[str, Any]) -> None:
        """Add the epoch's line to `metrics.jsonl`, in the main process, and go on to the next epoch."""
        if self.accelerator.is_main_process:
            self.run.append_metrics(record)
            self.following.finish_epoch(record)
        self.progress = self.progress.next_epoch()

    def _evaluate_dev(self) -> dict[str, Any]:
        """Evaluate dev if it is due, and save the weights as the best ones if no epoch had a lower EER.

        Without a dev split, and where the recipe selects the last weights, these are the best ones.
        """
        config, epoch = self.recipe.train, self.progress.epoch + 1
        if self.dev is None:
            if self.accelerator.is_main_process:
                save_weights(self.evaluated_model, self.run.weights("best"))
            return {}
        if epoch % config.judge_every and epoch < config.epochs:
            return {}
        scores, metrics = evaluate_dev(self.run, self.evaluated_model, self.dev, self.peers)
        _, eer = scores.rates.equal_error_threshold()
        best = config.select == "last" or eer <= self.progress.best_eer
        if best and self.accelerator.is_main_process:
            save_weights(self.evaluated_model, self.run.weights("best"))
            self.run.write_scores("dev", scores)
        self.progress.judge(eer)
        return {"dev": metrics, "best": best}

    def _save_state(self) -> None:
        """Write the training state, unless its weights are not finite."""
        are_good = are_finite(self.unwrapped_model, self.loss)
        self._require(are_good, f"weights are not finite after step {self.progress.batch}")
        if self.accelerator.is_main_process:
            self.run.require_folder()
            state = {
                "position": asdict(self.progress),
                "model": self.unwrapped_model.state_dict(),
                "loss": self.loss.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "rng": torch.get_rng_state(),
            }
            if self.average is not None:
                state["average"] = self.average.state_dict()
            save_state(state, self.run.path / files.STATE)
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
        state = load_state(path)
        try:
            self.unwrapped_model.load_state_dict(state["model"])
            self.loss.load_state_dict(state["loss"])
            load_optimizer_state(self.optimizer, state["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            torch.set_rng_state(state["rng"])
            self.progress = structure(state["position"], TrainingProgress, self.run.registry, "its position")
            self._note_saved()
            self.seed_dropout()
        except (*DAMAGE, FasError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"{path}: does not fit this run: {reason}") from error
