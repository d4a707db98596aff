"""The training loop: train an epoch, score dev, keep the best and the last weights; resuming is exact."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from accelerate import Accelerator
from attrs import asdict, define, field
from torch import nn

from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.console import console
from fas_core.data.loader import name_worker_failures, training_loader
from fas_core.errors import DataError, FasError, ModelError
from fas_core.evaluation import bind_metrics, evaluate
from fas_core.inference.peers import ALONE, Peers
from fas_core.inference.score_samples import score_samples
from fas_core.models.build import build_model
from fas_core.models.checkpoint import load_state, save_state, save_weights
from fas_core.models.model import Model, scorer
from fas_core.models.pickled import DAMAGE
from fas_core.records.outputs import Batch
from fas_core.records.samples import SampleTable
from fas_core.runs.run import Run
from fas_core.runtime.face_selection import select_faces
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold
from fas_core.training.distribution import (
    LossOfBatch,
    TrainingPeers,
    check_share,
    distribute,
    join_peers,
    seed_process,
)
from fas_core.training.layers import freeze_layers, group_parameters, set_training_mode
from fas_core.training.loss import build_loss, check_targets, list_target_modalities
from fas_core.training.optim import MovingAverage, build_optimizer, learning_rate, load_optimizer_state
from fas_core.training.process import Interruption, interruptible, keep_freed_memory
from fas_core.training.progress import TrainingProgress, format_epoch


@define
class Training:
    """A run in training: `prepare` builds it, `restore` continues an interrupted one, `fit` trains it."""

    run: Run
    train: SampleTable
    dev: SampleTable | None
    accelerator: Accelerator
    peers: TrainingPeers
    model: Model
    loss: nn.Module
    step: nn.Module
    optimizer: Any
    average: MovingAverage | None = None
    progress: TrainingProgress = field(factory=TrainingProgress)

    @classmethod
    def prepare(
        cls, run: Run, train: SampleTable, dev: SampleTable | None, accelerator: Accelerator
    ) -> Training:
        """Build model, loss and optimiser, with seeded weights; raise DataError if the loss lacks images."""
        recipe = run.recipe
        if accelerator.device.type == "cpu":
            keep_freed_memory()
        torch.manual_seed(recipe.train.seed)
        model = build_model(recipe, run.registry)
        loss = build_loss(recipe.loss, run.registry, model)
        check_targets(recipe.loss.name, loss, train)
        freeze_layers(model, recipe.train.freeze)
        optimizer = build_optimizer(recipe.train, group_parameters(model, loss, recipe.train))
        peers = join_peers(accelerator, recipe.train.peer_timeout)
        check_share(recipe.train, peers)
        step = distribute(LossOfBatch(model, loss, accelerator.autocast), accelerator)
        optimizer = accelerator.prepare(optimizer)
        training = cls(run, train, dev, accelerator, peers, model, loss, step, optimizer)
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
    def evaluated_model(self) -> Model:
        """The model that is scored and saved: the trained one, or the moving average of its weights."""
        return self.unwrapped_model if self.average is None else self.average.model

    def fit(self) -> None:
        """Train to the last epoch.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the state is saved, and `restore` continues from it.
            FasError: the loss is not finite, an image cannot be read, or a process that reads them, or that
                trains with this one, died.
        """
        with interruptible() as interruption, self.peers.naming_failures():
            while self.progress.epoch < self.recipe.train.epochs:
                self._train_epoch(interruption)
                self._save_state()
                if self._is_interrupted(interruption):
                    raise KeyboardInterrupt
                self._finish_epoch()
                self._save_state()
                if self._is_interrupted(interruption):
                    raise KeyboardInterrupt

    def _train_epoch(self, interruption: Interruption) -> None:
        """Train on the rest of the epoch's batches, or until an interruption."""
        progress, config = self.progress, self.recipe.train
        rate = learning_rate(config, progress.epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["lr_factor"]
        loader = training_loader(
            self.train,
            self.recipe,
            epoch=progress.epoch,
            also=list_target_modalities(self.loss),
            start_batch=progress.batch,
            rank=self.accelerator.process_index,
            world_size=self.accelerator.num_processes,
        )
        set_training_mode(self.unwrapped_model, config.freeze)
        total = progress.images + loader.samples
        description = f"epoch {progress.epoch + 1}/{config.epochs}"
        start = time.perf_counter() - progress.seconds
        with (
            console.progress(description, total, "samples", done=progress.images) as shown,
            name_worker_failures(),
        ):
            for batch in loader:
                progress.loss += self._train_batch(batch)
                progress.batch += 1
                progress.images += batch.total
                progress.seconds = time.perf_counter() - start
                loss = f"{progress.mean_loss:.4f}"
                shown.advance(batch.total, loss=loss, lr=f"{rate:.2g}")
                if self._is_interrupted(interruption):
                    return

    def _train_batch(self, batch: Batch) -> float:
        """Update the weights once; return the loss of the batch before the update."""
        batch = self._to_device(batch)
        loss = self.step(batch) * (self.peers.count * len(batch.label) / batch.total)
        value = self.peers.mean(float(loss.detach()))
        if not math.isfinite(value):
            position = f"epoch {self.progress.epoch + 1}, batch {self.progress.batch + 1}"
            raise FasError(f"{self.run.path}: the loss is {value} at {position}: lower train.lr")
        self.accelerator.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.unwrapped_model)
        return value

    def _to_device(self, batch: Batch) -> Batch:
        device = self.accelerator.device
        images = {name: pixels.to(device, non_blocking=True) for name, pixels in batch.images.items()}
        presence = None if batch.presence is None else batch.presence.to(device)
        return Batch(images, batch.label.to(device), batch.index, presence, batch.total)

    def _is_interrupted(self, interruption: Interruption) -> bool:
        """Return whether this process, or one of those that it trains with, was asked to stop."""
        interruption.requested = self.peers.any(interruption.requested)
        return interruption.requested

    def seed_dropout(self) -> None:
        """Give each process random numbers of its own; those of the main one are as they are."""
        seed_process(self.recipe.train.seed, self.progress.epoch, self.progress.batch, self.peers)

    def _finish_epoch(self) -> None:
        """Save the weights, evaluate dev, record the epoch in `metrics.jsonl` and go on to the next one."""
        config, progress = self.recipe.train, self.progress
        if self.accelerator.is_main_process:
            save_weights(self.evaluated_model, self.run.weights("last"))
        self.peers.wait()
        record = progress.to_record(learning_rate(config, progress.epoch)) | self._evaluate_dev()
        if self.accelerator.is_main_process:
            self.run.append_metrics(record)
            console.info(format_epoch(record, config))
        self.progress = progress.next_epoch()

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
        if best:
            if self.accelerator.is_main_process:
                save_weights(self.evaluated_model, self.run.weights("best"))
                self.run.write_scores("dev", scores)
            self.progress.best_eer = min(eer, self.progress.best_eer)
        return {"dev": metrics, "best": best}

    def _save_state(self) -> None:
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
            save_state(state, self.run.path / "state.pt")
        self.peers.wait()

    def restore(self) -> None:
        """Continue from the state in the run folder; raise ModelError if it is missing or does not fit."""
        path = self.run.path / "state.pt"
        state = load_state(path)
        try:
            self.unwrapped_model.load_state_dict(state["model"])
            self.loss.load_state_dict(state["loss"])
            load_optimizer_state(self.optimizer, state["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            torch.set_rng_state(state["rng"])
            self.progress = structure(state["position"], TrainingProgress, self.run.registry, "its position")
            self.seed_dropout()
        except (*DAMAGE, FasError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"{path}: does not fit this run: {reason}") from error


def evaluate_dev(
    run: Run, model: Model, dev: SampleTable, peers: Peers = ALONE
) -> tuple[ScoreTable, dict[str, Any]]:
    """Score dev by a model, which is in eval mode then; return the scores, and figures for metrics.jsonl.

    The threshold is fitted on these scores by the recipe's policy. Each of `peers` scores its share.
    """
    recipe = run.recipe
    scores = score_samples(
        scorer(model),
        dev,
        model_input=recipe.input,
        faces=select_faces(recipe.input),
        workers=recipe.train.workers,
        description="dev",
        peers=peers,
    )
    threshold = fit_threshold(recipe.threshold, scores)
    result = evaluate(scores, bind_metrics(recipe.metrics, run.registry), threshold, name="dev")
    return scores, result.to_json()["metrics"]


def check_trainable(samples: SampleTable) -> None:
    """Raise DataError unless every sample has a label, and there are live samples and attacks."""
    counts = samples.counts()
    if counts.get("unknown"):
        raise DataError(f"{samples.root}: {counts['unknown']} training samples have no label")
    if not (counts.get("live") and counts.get("attack")):
        only = "live samples" if counts.get("live") else "attacks"
        raise DataError(f"{samples.root}: training needs both classes, and there are only {only}")
