"""Batches for training: shuffled, augmented, sharded, and independent of how many processes read them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from fas_core.child_processes import holding_back_signals, kill_workers_at_exit
from fas_core.config.recipe import Recipe
from fas_core.data.augment import Augmentations
from fas_core.data.draws import Draws, epoch_batches, group_rows
from fas_core.data.reading_processes import WorkerError, naming_deaths, start_worker, without_death_handler
from fas_core.data.training_batches import TrainingBatches
from fas_core.errors import FasError
from fas_core.process_folder import use_locked_folder
from fas_core.records.outputs import Batch
from fas_core.records.samples import SampleTable
from fas_core.registry import Registry
from fas_core.registry import registry as find_installed


class TrainingLoader(DataLoader[Any]):
    """Iterates over the batches of an epoch; `len` is how many there are.

    The processes that read images start with the first batch and stay for later epochs, until `close`.

    Args:
        batches: reads them.
        draw: the draws of each batch of an epoch.
        pin: whether pixels are put where an accelerator copies them from while the training process goes on.
    """

    def __init__(self, batches: TrainingBatches, draw: Callable[[int], list[Draws]], pin: bool) -> None:
        self.draw = draw
        self.order: list[tuple[int, Draws]] = []
        workers = batches.recipe.train.workers
        # A hint on more processes than cores, which is what was asked for; photos may lie far away.
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        super().__init__(
            batches,
            batch_size=None,  # the order is of whole batches
            sampler=self.order,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=pin,
            worker_init_fn=start_worker,
            generator=torch.Generator(),  # reading must not use the model's random numbers
        )

    def start_epoch(self, epoch: int, start_batch: int = 0) -> None:
        """Go to an epoch, past its first `start_batch` batches; the others stay the same."""
        self.order[:] = [(epoch, draws) for draws in self.draw(epoch)[start_batch:]]

    @property
    def samples(self) -> int:
        """Number of samples in all batches, over all processes."""
        return sum(len(draws) for _, draws in self.order)

    def close(self) -> None:
        """End the processes that read images, also where one of them has died."""
        iterator: Any = self._iterator
        if iterator is not None and self.num_workers:
            iterator._shutdown_workers()
        self._iterator = None

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        with naming_deaths(self._workers):
            for batch in self._start_reading():
                if isinstance(batch, FasError):
                    raise batch
                yield batch.to_batch()

    def _start_reading(self) -> Iterator[Any]:
        """Return the batches that the processes pass on which read images; start these if they do not run."""
        if self.num_workers:
            use_locked_folder()
            kill_workers_at_exit()
        try:
            with holding_back_signals(), without_death_handler():
                return super().__iter__()
        except OSError as error:
            raise WorkerError(
                f"cannot start {self.num_workers} processes that read images: {error.strerror or error}: "
                "give fewer --workers; --workers 0 reads in the main process"
            ) from error

    def _workers(self) -> list[BaseProcess]:
        iterator: Any = self._iterator
        return [] if iterator is None else iterator._workers


def training_loader(
    samples: SampleTable,
    recipe: Recipe,
    *,
    registry: Registry | None = None,
    epoch: int = 0,
    also: Sequence[str] = (),
    start_batch: int = 0,
    rank: int = 0,
    world_size: int = 1,
    pin: bool = False,
) -> TrainingLoader:
    """Build the loader of one process, at an epoch: images uint8 (B, S, S, 3), labels and rows int64 (B,).

    Args:
        samples: all labelled, and with every modality of the recipe.
        recipe: size, augmentation, sections `train`; its `workers` are the processes that read (0: this one).
        registry: has the augmentations; None: the installed plugins.
        also: modalities that the loss reads in addition to the model's.
        start_batch: how many batches to skip when a run continues; the others stay the same.
        pin: whether batches are copied to an accelerator, which pinned memory makes faster.

    Raises:
        DataError: too few samples, or classes or species that cannot be balanced, at once; an unreadable
            image, when its batch is due.
        FasError: the recipe's cache of faces cannot be made, or its disk is too small; an augmentation cannot
            be built, at once, or failed.
        WorkerError: the processes cannot be started; raised when the first batch is due.
    """
    train, groups = recipe.train, group_rows(samples, recipe.train.balance)

    def draw(epoch: int) -> list[Draws]:
        return epoch_batches(groups, train.batch_size, seed=train.seed, epoch=epoch, world_size=world_size)

    modalities = tuple(dict.fromkeys((*recipe.modalities, *also)))
    augmentations = Augmentations.build(recipe, registry or find_installed(), modalities)
    batches = TrainingBatches(samples, recipe, modalities, augmentations, rank, world_size)
    if (cache := batches.faces.cache) is not None:
        cache.prepare(quiet=rank > 0)
    loader = TrainingLoader(batches, draw, pin)
    loader.start_epoch(epoch, start_batch)
    return loader


def copy_loader(
    samples: SampleTable,
    recipe: Recipe,
    *,
    epoch: int,
    batch_size: int,
    start: int = 0,
    registry: Registry | None = None,
) -> TrainingLoader:
    """Build the loader of an augmented copy of every sample from row `start`, in the table's order.

    The copies are those that training shows in `epoch`. Raises as `training_loader`.
    """
    rows = [
        np.arange(first, min(first + batch_size, len(samples)), dtype=np.int64)
        for first in range(start, len(samples), batch_size)
    ]
    augmentations = Augmentations.build(recipe, registry or find_installed(), recipe.modalities)
    batches = TrainingBatches(samples, recipe, recipe.modalities, augmentations)
    if (cache := batches.faces.cache) is not None:
        cache.prepare(quiet=epoch > 1 or start > 0)
    loader = TrainingLoader(batches, lambda _: rows, False)
    loader.start_epoch(epoch)
    return loader
