"""Updating the weights by a batch: its gradients, their clipping, the optimizer, the moving average."""

from __future__ import annotations

from contextlib import nullcontext
from math import inf
from typing import Any

import torch
from accelerate import Accelerator
from attrs import define
from torch import Tensor, nn

from fas_core.config.train import TrainConfig
from fas_core.contracts import ScheduleFunction
from fas_core.errors import PluginError
from fas_core.models.model import Model
from fas_core.records.outputs import Batch
from fas_core.registry import Registry
from fas_core.training.distribution import LossOfBatch, TrainingPeers, distribute
from fas_core.training.layers import freeze_layers, group_parameters, set_training_mode
from fas_core.training.optim import Groups, MovingAverage, build_optimizer, build_schedule
from fas_core.training.optimizer_state import describe_state, load_optimizer_state, load_scaler_state
from fas_core.training.step import compile_forward, split_batch


@define
class Updater:
    """A model and its loss in training, whose weights `update` changes by a batch.

    Args:
        step: the loss of a batch by model and loss, joined to those of the other processes.
        schedule: the factor of the learning rate for each update.
        updates_per_epoch: number of batches.
        average: of the model's weights, where the recipe asks for it.
    """

    config: TrainConfig
    registry: Registry
    accelerator: Accelerator
    peers: TrainingPeers
    model: Model
    loss: nn.Module
    step: nn.Module
    optimizer: Any
    schedule: ScheduleFunction
    updates_per_epoch: int
    average: MovingAverage | None = None

    @classmethod
    def prepare(
        cls,
        config: TrainConfig,
        registry: Registry,
        accelerator: Accelerator,
        peers: TrainingPeers,
        model: Model,
        loss: nn.Module,
        updates_per_epoch: int,
    ) -> Updater:
        """Move model and loss to the accelerator's device, and build what trains them.

        Raises:
            ConfigError: layers that are frozen, or have a learning rate of their own, do not exist.
            FasError: the optimizer or the schedule cannot be built.
        """
        freeze_layers(model, config.freeze)
        optimizer = build_optimizer(config, registry, group_parameters(model, loss, config))
        schedule = build_schedule(config, registry, updates_per_epoch)
        forward = compile_forward(model) if config.compile else model
        step = distribute(LossOfBatch(model, loss, forward, accelerator.autocast), accelerator)
        average = MovingAverage(model, config.average) if config.average else None
        return cls(
            config=config,
            registry=registry,
            accelerator=accelerator,
            peers=peers,
            model=model,
            loss=loss,
            step=step,
            optimizer=accelerator.prepare(optimizer),
            schedule=schedule,
            updates_per_epoch=updates_per_epoch,
            average=average,
        )

    @property
    def evaluated_model(self) -> Model:
        """The model that is scored and saved: the trained one, or the moving average of its weights."""
        return self.model if self.average is None else self.average.model

    def start_epoch(self) -> None:
        """Set what is trained to training mode."""
        set_training_mode(self.model, self.config.freeze)

    def compute_rate(self, epoch: int, batch: int) -> float:
        """Return the learning rate of an update, by its epoch and its batch, from 0.

        Raises:
            PluginError: the schedule gives no factor for it.
        """
        update = epoch * self.updates_per_epoch + batch
        factor = self.schedule(update)
        if not (isinstance(factor, int | float) and 0 <= factor < inf):
            name = self.config.schedule.name
            raise PluginError(
                f"schedule {name!r}: gave {factor!r} for update {update}: must be a number >= 0"
            )
        return self.config.lr * factor

    def set_rate(self, epoch: int, batch: int) -> float:
        """Set and return the learning rate of an update."""
        rate = self.compute_rate(epoch, batch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["lr_factor"]
        return rate

    def update(self, batch: Batch) -> Tensor:
        """Update the weights once; return the loss before the update, which the device may still compute."""
        smallest = batch.total // self.peers.count  # all processes have as many parts
        parts = split_batch(self._to_device(batch), min(self.config.accumulate, max(smallest // 2, 1)))
        loss = torch.zeros((), device=self.accelerator.device)
        for number, part in enumerate(parts, 1):
            # Processes exchange gradients once, with those of the last part.
            with nullcontext() if number == len(parts) else self.accelerator.no_sync(self.step):
                loss += self._add_gradients(part, self.peers.count * len(part.label) / batch.total)
        if self.config.clip is not None:
            parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
            self.accelerator.clip_grad_norm_(parameters, self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return loss

    def _add_gradients(self, part: Batch, share: float) -> Tensor:
        """Add the gradients of a part of a batch, and return its loss, both weighted by its share of it."""
        loss: Tensor = share * self.step(part)
        self.accelerator.backward(loss)
        return loss.detach()

    def _to_device(self, batch: Batch) -> Batch:
        device = self.accelerator.device
        images = {name: pixels.to(device, non_blocking=True) for name, pixels in batch.images.items()}
        presence = None if batch.presence is None else batch.presence.to(device, non_blocking=True)
        label = batch.label.to(device, non_blocking=True)
        return Batch(images, label, batch.index, presence, batch.total)

    def state_dict(self) -> dict[str, Any]:
        """Return what the next updates depend on: tensors, numbers and containers of them."""
        state = {
            "model": self.model.state_dict(),
            "loss": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        if self.average is not None:
            state["average"] = self.average.state_dict()
        if self.accelerator.scaler is not None:
            state["scaler"] = self.accelerator.scaler.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict` returned.

        The scaler of gradients starts anew where the state has none, as former ones.

        Raises:
            TypeError, ValueError, LookupError, ...: it does not fit; see `fas_core.models.pickled.DAMAGE`.
        """
        self.model.load_state_dict(state["model"])
        self.loss.load_state_dict(state["loss"])
        expected = describe_state(self._build_optimizer, self.optimizer.param_groups)
        load_optimizer_state(self.optimizer, state["optimizer"], expected)
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        if self.accelerator.scaler is not None and "scaler" in state:
            load_scaler_state(self.accelerator.scaler, state["scaler"])

    def _build_optimizer(self, groups: Groups) -> torch.optim.Optimizer:
        return build_optimizer(self.config, self.registry, groups)
