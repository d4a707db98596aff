"""The training loop: train an epoch, score dev, keep the best and the last weights; resuming is exact."""

from __future__ import annotations

import math
import time
from typing import Any, cast

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
from fas_core.inference.score_samples import score_samples
from fas_core.interruption import Interruption, interruptible
from fas_core.models.build import build_model
from fas_core.models.checkpoint import load_state, save_state, save_weights
from fas_core.models.model import Model, scorer
from fas_core.models.pickled import DAMAGE
from fas_core.records.outputs import Batch
from fas_core.records.samples import SampleTable
from fas_core.runs import files
from fas_core.runs.run import Run
from fas_core.runtime.face_selection import select_faces
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold
from fas_core.training.divergence import DivergedError, are_finite
from fas_core.training.follow import Following
from fas_core.training.layers import freeze_layers, group_parameters, set_training_mode
from fas_core.training.loss import build_loss, check_targets, list_target_modalities
from fas_core.training.optim import MovingAverage, build_optimizer, learning_rate, load_optimizer_state
from fas_core.training.process import keep_freed_memory
from fas_core.training.progress import TrainingProgress


@define
class Training:
    """A run in training: `prepare` builds it, `restore` continues an interrupted one, `fit` trains it."""

    run: Run
    train: SampleTable
    dev: SampleTable | None
    accelerator: Accelerator
    model: nn.Module
    loss: nn.Module
    optimizer: Any
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
        if accelerator.device.type == "cpu":
            keep_freed_memory()
        torch.manual_seed(recipe.train.seed)
        model = build_model(recipe, run.registry)
        loss = build_loss(recipe.loss, run.registry, model)
        check_targets(recipe.loss.name, loss, train)
        freeze_layers(model, recipe.train.freeze)
        optimizer = build_optimizer(recipe.train, group_parameters(model, loss, recipe.train))
        model, optimizer = accelerator.prepare(model, optimizer)
        training = cls(run, train, dev, accelerator, model, loss.to(accelerator.device), optimizer)
        if recipe.train.average:
            training.average = MovingAverage(training.unwrapped_model, recipe.train.average)
        return training

    @property
    def recipe(self) -> Recipe:
        return self.run.recipe

    @property
    def unwrapped_model(self) -> Model:
        """The model itself, without the wrapper that distributes it over processes."""
        return cast(Model, self.accelerator.unwrap_model(self.model))

    @property
    def trained_module(self) -> Model:
        """What is trained, but for parameters of the loss."""
        return self.unwrapped_model

    @property
    def evaluated_model(self) -> Model:
        """The model that is scored and saved: the trained one, or the moving average of its weights."""
        return self.unwrapped_model if self.average is None else self.average.model

    def fit(self) -> None:
        """Train to the last epoch.

        Raises:
            Interrupted: by a signal; the state is saved, and `restore` continues from it.
            DivergedError: the loss or the weights are not finite; the state saved before stays.
            FasError: an image cannot be read, or a process that reads them died.
        """
        with interruptible() as interruption:
            interruption.continue_on_usr1 = self.recipe.train.on_usr1 == "continue"
            interruption.check()
            if not (self.run.path / files.STATE).is_file():
                self._save_state()
            while self.progress.epoch < self.recipe.train.epochs:
                with interruption.stepping():
                    self._train_epoch(interruption)
                    self._save_state()
                record = self._judge_epoch()
                with interruption.stepping():
                    self._finish_epoch(record)
                    self._save_state()

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
        processes = self.accelerator.num_processes
        total = progress.images + processes * loader.samples
        description = f"epoch {progress.epoch + 1}/{config.epochs}"
        start = time.perf_counter() - progress.seconds
        with (
            console.progress(description, total, "samples", done=progress.images) as shown,
            name_worker_failures(),
        ):
            for batch in loader:
                progress.loss += self._train_batch(batch)
                progress.batch += 1
                progress.images += processes * len(batch.label)
                progress.seconds = time.perf_counter() - start
                loss = f"{progress.mean_loss:.4f}"
                shown.advance(processes * len(batch.label), loss=loss, lr=f"{rate:.2g}")
                self.following.advance(processes * len(batch.label))
                if interruption.requested:
                    return
                if interruption.take_save_request() or time.monotonic() > self.checkpoint_due:
                    self._save_state()

    def _train_batch(self, batch: Batch) -> float:
        """Update the weights once; return the loss of the batch before the update."""
        batch = self._to_device(batch)
        with self.accelerator.autocast():
            outputs = self.model(batch.images, batch.presence)
        loss = self.loss(outputs, batch)
        value = float(loss.detach())
        self._require(math.isfinite(value), f"the loss of step {self.progress.batch + 1} is {value}")
        self.accelerator.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.unwrapped_model)
        return value

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
        presence = None if batch.presence is None else batch.presence.to(device)
        return Batch(images, batch.label.to(device), batch.index, presence)

    def _judge_epoch(self) -> dict[str, Any]:
        """Save the weights and evaluate dev, in the main process; return the line of `metrics.jsonl`."""
        if not self.accelerator.is_main_process:
            return {}
        save_weights(self.evaluated_model, self.run.weights("last"))
        rate = learning_rate(self.recipe.train, self.progress.epoch)
        return self.progress.to_record(rate) | self._evaluate_dev()

    def _finish_epoch(self, record: dict[str, Any]) -> None:
        """Add the epoch's line to `metrics.jsonl`, in the main process, and go on to the next epoch."""
        if self.accelerator.is_main_process:
            self.run.append_metrics(record)
            self.following.finish_epoch(record)
        self.accelerator.wait_for_everyone()
        self.progress = self.progress.next_epoch()

    def _evaluate_dev(self) -> dict[str, Any]:
        """Evaluate dev if it is due, and save the weights as the best ones if no epoch had a lower EER.

        Without a dev split, and where the recipe selects the last weights, these are the best ones.
        """
        config, epoch = self.recipe.train, self.progress.epoch + 1
        if self.dev is None:
            save_weights(self.evaluated_model, self.run.weights("best"))
            return {}
        if epoch % config.judge_every and epoch < config.epochs:
            return {}
        scores, metrics = evaluate_dev(self.run, self.evaluated_model, self.dev)
        _, eer = scores.rates.equal_error_threshold()
        best = config.select == "last" or eer <= self.progress.best_eer
        if best:
            save_weights(self.evaluated_model, self.run.weights("best"))
            self.run.write_scores("dev", scores)
            self.progress.best_eer = min(eer, self.progress.best_eer)
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
        self.accelerator.wait_for_everyone()
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
        except (*DAMAGE, FasError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"{path}: does not fit this run: {reason}") from error


def evaluate_dev(run: Run, model: Model, dev: SampleTable) -> tuple[ScoreTable, dict[str, Any]]:
    """Score dev by a model, which is in eval mode then; return the scores, and figures for metrics.jsonl.

    The threshold is fitted on these scores by the recipe's policy.
    """
    recipe = run.recipe
    scores = score_samples(
        scorer(model),
        dev,
        model_input=recipe.input,
        faces=select_faces(recipe.input),
        workers=recipe.train.workers,
        description="dev",
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
