"""Processes that train one model together, as `torchrun` and `accelerate launch` start them.

Each takes its share of every batch. Gradients are averaged by `DistributedDataParallel` (arXiv 2006.15704),
the statistics of batch norms are of the whole batch, and a loss is weighted by the share of the batch that it
is the mean of: together they update the weights as one process would with the same batch.
"""

from __future__ import annotations

import atexit
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import numpy as np
import torch
from accelerate import Accelerator
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from fas_core.config.train import TrainConfig
from fas_core.errors import ConfigError, FasError
from fas_core.models.synchronized_norm import synchronize_batch_norms
from fas_core.records.outputs import Batch, Outputs

PATIENCE = timedelta(hours=1)
"""How long processes wait while the main one prepares data or writes files."""

DISCONNECTED = re.compile(r"gloo|connection (closed|reset)|timed? ?out|broken pipe|NCCL", re.IGNORECASE)
"""What messages of PyTorch's backends hold when another process is gone or does not answer."""


Value = TypeVar("Value")


class PeerError(FasError):
    """Another process of the training ended, or does not answer."""


@frozen
class TrainingPeers:
    """The processes that train together, as `fas_core.inference.peers.Peers`; without groups one alone.

    Their messages go through the CPU, so that no accelerator is waited for.

    Args:
        timeout: seconds that a process waits for another one in a step of training or scoring.
        group: waits as long as that.
        patient: waits for `PATIENCE`.
    """

    rank: int = 0
    count: int = 1
    timeout: float = 0.0
    group: Any = None
    patient: Any = None

    def sum(self, values: Sequence[float]) -> list[float]:
        """Return the sums of numbers over all processes."""
        if self.count == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        with self.naming_failures():
            distributed.all_reduce(total, group=self.group)
        return [float(value) for value in total]

    def mean(self, values: Sequence[float]) -> list[float]:
        """Return the means of numbers over all processes."""
        return [value / self.count for value in self.sum(values)]

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process."""
        return self.sum([float(flag)])[0] > 0

    def gather(self, scores: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return the scores of every process, by rank."""
        if self.count == 1:
            return [scores]
        parts: list[Any] = [None] * self.count
        with self.naming_failures():
            distributed.all_gather_object(parts, scores, group=self.group)
        return parts

    def from_main(self, value: Value) -> Value:
        """Return the main process's value."""
        if self.count == 1:
            return value
        values = [value]
        with self.naming_failures():
            distributed.broadcast_object_list(values, src=0, group=self.group)
        return values[0]

    def wait(self) -> None:
        """Wait until every process is here, also for one that prepares data or writes files."""
        if self.count > 1:
            with self.naming_failures():
                distributed.barrier(group=self.patient)

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Run the block in the main process first, then in the others."""
        if self.rank:
            self.wait()
        yield
        if not self.rank:
            self.wait()

    @contextmanager
    def naming_failures(self) -> Iterator[None]:
        """Raise PeerError where another process ends, or does not answer, while the block runs."""
        try:
            yield
        except RuntimeError as error:
            if self.count == 1 or not DISCONNECTED.search(str(error)):
                raise
            raise PeerError(
                f"another of the {self.count} processes ended, or did not answer for {self.timeout:g} s "
                "(train.peer_timeout)"
            ) from error


def join_peers(accelerator: Accelerator, timeout: float) -> TrainingPeers:
    """Return the processes that train together, each of which calls this.

    Args:
        accelerator: what `fas_core.training.process.accelerator_for` returns.
        timeout: of the processes, in seconds.
    """
    return TrainingPeers() if accelerator.num_processes == 1 else _join_groups(timeout)


@cache
def _join_groups(timeout: float) -> TrainingPeers:
    """Open the connections once for all runs of this process, and close them before Python ends.

    Left open, their threads run on while the libraries that they use are taken down, which may crash.
    """
    atexit.register(_close_groups)
    group = distributed.new_group(timeout=timedelta(seconds=timeout), backend="gloo")
    patient = distributed.new_group(timeout=PATIENCE, backend="gloo")
    return TrainingPeers(distributed.get_rank(), distributed.get_world_size(), timeout, group, patient)


def _close_groups() -> None:
    if distributed.is_initialized():  # the groups of each time-out register this, and the first closes all
        distributed.destroy_process_group()


def check_share(config: TrainConfig, peers: TrainingPeers) -> None:
    """Raise ConfigError unless every process has a sample of each batch."""
    if config.batch_size < peers.count:
        raise ConfigError(
            f"train.batch_size: {config.batch_size} samples cannot be shared by {peers.count} processes: the "
            "size is that of the batch of all processes together"
        )


class LossOfBatch(nn.Module):
    """A model and its loss as one module, so that several processes train both."""

    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        run_model: Callable[..., Outputs],
        autocast: Callable[[], AbstractContextManager[None]],
    ) -> None:
        super().__init__()
        self.model, self.loss, self.autocast = model, loss, autocast
        self.run_model = run_model  # the model, or its compiled form

    def forward(self, batch: Batch) -> Tensor:
        """Return the mean loss of the batch, a scalar; the model alone runs in `autocast`."""
        with self.autocast():
            outputs = self.run_model(batch.images, batch.presence)
        loss: Tensor = self.loss(outputs, batch)
        return loss


def distribute(module: nn.Module, accelerator: Accelerator) -> nn.Module:
    """Move a module to the accelerator's device and, of several processes, join it to theirs.

    Its weights become those of the main process; its batch norms become ones over all processes.
    """
    device = accelerator.device
    if accelerator.num_processes == 1:
        return module.to(device)
    synchronize_batch_norms(module, device)
    # Hints on speed: of a few copies, as PyTorch lays out weights and gradients of one channel differently.
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
    devices = None if device.type == "cpu" else [device.index]
    # A model may have layers that its loss does not use.
    return DistributedDataParallel(module.to(device), device_ids=devices, find_unused_parameters=True)


def seed_process(seed: int, epoch: int, batch: int, peers: TrainingPeers) -> None:
    """Seed dropout of processes other than the main one, so that each has other random numbers."""
    if peers.rank:
        state = np.random.SeedSequence([seed, epoch, batch, peers.rank]).generate_state(1, np.uint64)
        torch.manual_seed(int(state[0] >> np.uint64(1)))
