"""Training: epochs of batches, dev scores after each, best and last weights, exact resuming."""

from __future__ import annotations

import math
import time
from typing import Any, cast

import torch
from accelerate import Accelerator
from attrs import asdict, define, field
from torch import nn

from fas_core.config.recipe import Recipe, TrainConfig
from fas_core.console import console
from fas_core.contracts import Batch, LossModule
from fas_core.data.loader import training_loader
from fas_core.descriptors import Loss
from fas_core.errors import DataError, FasError, ModelError
from fas_core.evaluation import bind_metrics, evaluate
from fas_core.inference.score_samples import score_samples
from fas_core.models.checkpoint import load_state, save_state, save_weights
from fas_core.models.model import Model, build_model, scorer
from fas_core.records.samples import SampleTable
from fas_core.runs.run import Run
from fas_core.scores.thresholds import fit_threshold
from fas_core.training.average import Average
from fas_core.training.interrupt import Interruption, interruptible
from fas_core.training.memory import keep_freed_memory
from fas_core.training.optim import build_optimizer, learning_rate
from fas_core.training.position import Position


@define
class Training:
    """One run being trained. `fit` is the loop; everything else is a step of it."""

    run: Run
    train: SampleTable
    dev: SampleTable | None
    accelerator: Accelerator
    model: nn.Module
    loss: nn.Module
    optimizer: Any
    average: Average | None = None
    position: Position = field(factory=Position)

    @classmethod
    def prepare(
        cls, run: Run, train: SampleTable, dev: SampleTable | None, accelerator: Accelerator
    ) -> Training:
        """Build model, loss and optimiser from the run's recipe, seeded.

        Raises:
            DataError: training samples lack images that the loss reads.
        """
        recipe = run.recipe
        if accelerator.device.type == "cpu":
            keep_freed_memory()
        torch.manual_seed(recipe.train.seed)
        model = build_model(recipe, run.registry)
        loss = run.registry.find(Loss, recipe.loss.name).load()(recipe.loss.options, model=model)
        train.need(_reads(loss))
        both = nn.ModuleDict({"model": model, "loss": loss})
        optimizer = build_optimizer(recipe.train, both.parameters())
        prepared = accelerator.prepare(model, optimizer)
        training = cls(run, train, dev, accelerator, prepared[0], loss.to(accelerator.device), prepared[1])
        if recipe.train.average:
            training.average = Average(training.bare_model, recipe.train.average)
        return training

    @property
    def recipe(self) -> Recipe:
        return self.run.recipe

    @property
    def bare_model(self) -> Model:
        """The model without what distributes it."""
        return cast(Model, self.accelerator.unwrap_model(self.model))

    @property
    def judged_model(self) -> Model:
        """What is scored and kept: the model, or the running mean of it."""
        return self.bare_model if self.average is None else self.average.model

    def fit(self) -> None:
        """Train to the last epoch.

        Raises:
            KeyboardInterrupt: Ctrl-C; the state was saved and `resume` continues from it.
            FasError: the loss is not finite.
        """
        with interruptible() as interruption:
            while self.position.epoch < self.recipe.train.epochs:
                self._epoch(interruption)
                self.save()
                if interruption.requested:
                    raise KeyboardInterrupt
                self._finish_epoch()
                self.save()
                if interruption.requested:
                    raise KeyboardInterrupt

    def _epoch(self, interruption: Interruption) -> None:
        """The rest of the current epoch, or as much as comes before an interruption."""
        position, config = self.position, self.recipe.train
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(config, position.epoch)
        loader = training_loader(
            self.train,
            self.recipe,
            epoch=position.epoch,
            also=_reads(self.loss),
            start_batch=position.batch,
            rank=self.accelerator.process_index,
            world_size=self.accelerator.num_processes,
        )
        self.model.train()
        began, done = time.perf_counter(), position.seconds
        with console.progress(f"epoch {position.epoch + 1}/{config.epochs}", len(loader)) as bar:
            for batch in loader:
                position.loss += self._step(batch)
                position.batch += 1
                position.images += len(batch.label) * self.accelerator.num_processes
                position.seconds = done + time.perf_counter() - began
                shown = {
                    "loss": f"{self._mean_loss:.4f}",
                    "lr": f"{learning_rate(config, position.epoch):.2g}",
                    "images/s": f"{position.images / position.seconds:.0f}",
                }
                bar.advance(**shown)
                if interruption.requested:
                    return

    def _step(self, batch: Batch) -> float:
        """One update; gives the batch's loss."""
        device = self.accelerator.device
        images = {name: pixels.to(device, non_blocking=True) for name, pixels in batch.images.items()}
        with self.accelerator.autocast():
            presence = None if batch.presence is None else batch.presence.to(device)
            outputs = self.model(images, presence)
        loss = cast(LossModule, self.loss)(
            outputs, Batch(images, batch.label.to(device), batch.index, presence)
        )
        value = float(loss.detach())
        if not math.isfinite(value):
            where = f"epoch {self.position.epoch + 1}, batch {self.position.batch + 1}"
            raise FasError(f"{self.run.path}: the loss is {value} at {where}: lower train.lr")
        self.accelerator.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.bare_model)
        return value

    @property
    def _mean_loss(self) -> float:
        return self.position.loss / max(self.position.batch, 1)

    def _finish_epoch(self) -> None:
        """Judge dev, keep the weights, write the epoch down and move on to the next."""
        position = self.position
        record: dict[str, Any] = {
            "epoch": position.epoch + 1,
            "loss": self._mean_loss,
            "lr": learning_rate(self.recipe.train, position.epoch),
            "seconds": position.seconds,
            "images_per_second": position.images / max(position.seconds, 1e-9),
        }
        if self.accelerator.is_main_process:
            save_weights(self.judged_model, self.run.weights("last"))
            record |= self._judge_dev()
            self.run.append_metrics(record)
            console.info(_epoch_line(record, self.recipe.train))
        self.accelerator.wait_for_everyone()
        self.position = Position(
            epoch=position.epoch + 1,
            total_seconds=position.total_seconds + position.seconds,
            best_eer=position.best_eer,
        )

    def _judge_dev(self) -> dict[str, Any]:
        """Score dev when it is due; where its EER is the lowest yet (or as low), these weights are the best.

        Without a dev split there is nothing to choose by, and the last weights are the best; so they are
        where the recipe selects them.
        """
        config, epoch = self.recipe.train, self.position.epoch + 1
        if self.dev is None:
            save_weights(self.judged_model, self.run.weights("best"))
            return {}
        if epoch % config.judge_every and epoch < config.epochs:
            return {}
        scores = score_samples(scorer(self.judged_model), self.dev, description="dev", **scoring(self.recipe))
        _, eer = scores.rates.equal_error_threshold()
        best = config.select == "last" or eer <= self.position.best_eer
        if best:
            save_weights(self.judged_model, self.run.weights("best"))
            scores.write(self.run.scores("dev"))
            self.position.best_eer = min(eer, self.position.best_eer)
        threshold = fit_threshold(self.recipe.threshold, scores)
        result = evaluate(scores, bind_metrics(self.recipe.metrics, self.run.registry), threshold, name="dev")
        return {"dev": result.to_json()["metrics"], "best": best}

    def save(self) -> None:
        """Write the training state."""
        if self.accelerator.is_main_process:
            state = {
                "position": asdict(self.position),
                "model": self.bare_model.state_dict(),
                "loss": self.loss.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "rng": torch.get_rng_state(),
            }
            if self.average is not None:
                state["average"] = self.average.state_dict()
            save_state(state, self.run.path / "state.pt")
        self.accelerator.wait_for_everyone()

    def restore(self) -> None:
        """Continue from the run's training state.

        Raises:
            ModelError: there is none, or it is of another model.
        """
        path = self.run.path / "state.pt"
        state = load_state(path)
        try:
            self.bare_model.load_state_dict(state["model"])
            self.loss.load_state_dict(state["loss"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            torch.set_rng_state(state["rng"])
            self.position = Position(**state["position"])
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path}: does not fit this run: {str(error).splitlines()[0]}") from error


def _reads(loss: nn.Module) -> tuple[str, ...]:
    """Modalities whose images a loss makes its target from."""
    return tuple(getattr(loss, "reads", ()))


def scoring(recipe: Recipe) -> dict[str, Any]:
    """How a run's samples become inputs, as `score_samples` takes it."""
    return {
        "modalities": recipe.modalities,
        "input_size": recipe.model.face_size,
        "resize": recipe.resize,
        "partial": recipe.train.modality_dropout > 0,
        "workers": recipe.train.workers,
    }


def check_trainable(samples: SampleTable) -> None:
    """Refuse samples that nothing can be learnt from.

    Raises:
        DataError: unlabelled samples, or only one class.
    """
    counts = samples.counts()
    if counts.get("unknown"):
        raise DataError(f"{samples.root}: {counts['unknown']} training samples have no label")
    if not (counts.get("live") and counts.get("attack")):
        only = "live samples" if counts.get("live") else "attacks"
        raise DataError(f"{samples.root}: training needs both classes, and there are only {only}")


def _epoch_line(record: dict[str, Any], config: TrainConfig) -> str:
    parts = [
        f"epoch {record['epoch']}/{config.epochs}",
        f"loss {record['loss']:.4f}",
        f"lr {record['lr']:.2g}",
        f"{record['images_per_second']:.0f} images/s",
    ]
    if dev := record.get("dev"):
        shown = [f"{name.upper()} {100 * dev[name]:.2f} %" for name in ("eer", "acer") if name in dev]
        parts.append(f"dev {' '.join(shown)}")
        parts += ["best"] if record["best"] and config.select == "best" else []
    return "  ".join(parts)
