"""Batches for training: shuffled, augmented, sharded, and independent of how many processes read them.

The processes pass pixels on through shared memory (`/dev/shm`), and through a pipe where that is full: a
container of Docker has 64 MB of it, which is less than a few batches. A pipe costs some 10 ms for 64 samples
of three modalities at 128 pixels.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import evolve, field, frozen
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from fas_core.child_processes import holding_back_signals, kill_workers_at_exit
from fas_core.config.recipe import Recipe
from fas_core.data.augment import draw_donors, mix_quarters
from fas_core.data.draws import Draws, epoch_batches, group_rows
from fas_core.data.images import Image
from fas_core.data.reading_processes import (
    MORE_MEMORY,
    WorkerError,
    explain_death,
    ignoring_deaths,
    start_worker,
)
from fas_core.data.remote_files import fetching
from fas_core.data.training_faces import TrainingFaces
from fas_core.errors import FasError
from fas_core.process_folder import use_locked_folder
from fas_core.records.outputs import Batch
from fas_core.records.samples import SampleTable

SHARED_MEMORY = Path("/dev/shm")


def draw_presence(rng: np.random.Generator, modalities: int, dropout: float) -> NDArray[np.bool_]:
    """(modalities,) False with probability `dropout`; at least one is True."""
    present = rng.random(modalities) >= dropout
    if not present.any():
        present[rng.integers(modalities)] = True
    return present


@frozen(eq=False)
class _ReadBatch:
    """A batch as processes pass it on: arrays, and pixels as tensors where they are in shared memory."""

    images: Mapping[str, Tensor | NDArray[np.uint8]]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    presence: NDArray[np.bool_] | None
    total: int

    def to_batch(self) -> Batch:
        """Return the batch as tensors, without copying."""
        return Batch(
            {name: torch.as_tensor(pixels) for name, pixels in self.images.items()},
            torch.from_numpy(self.labels),
            torch.from_numpy(self.rows),
            None if self.presence is None else torch.from_numpy(self.presence),
            self.total,
        )

    def pin_memory(self) -> _ReadBatch:
        """Copy the pixels to where an accelerator copies from by itself; PyTorch's loader calls this."""
        pixels = {name: torch.as_tensor(pixels).pin_memory() for name, pixels in self.images.items()}
        return evolve(self, images=pixels)


def _share(images: Mapping[str, Image]) -> Mapping[str, Tensor | Image]:
    """Copy pixels to shared memory; return them as they are, to go through a pipe, where it is full."""
    try:
        tensors = {name: torch.from_numpy(pixels) for name, pixels in images.items()}
        return {name: tensor.share_memory_() for name, tensor in tensors.items()}  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        # PyTorch leaves the empty file for which there was no memory.
        for name in re.findall(r"</(torch_\w+)>", str(error)):
            (SHARED_MEMORY / name).unlink(missing_ok=True)
        return images


@frozen(eq=False)
class TrainingBatches(Dataset[Any]):
    """Batches by (epoch, draws). Augmentation depends on (seed, epoch, draw), mixing on all of a batch.

    Of each batch the process numbered `rank` reads every `world_size`-th sample.
    """

    samples: SampleTable
    recipe: Recipe
    modalities: tuple[str, ...]
    rank: int = 0
    world_size: int = 1
    labels: NDArray[np.int8] = field(init=False)
    faces: TrainingFaces = field(init=False)

    @labels.default
    def _labels(self) -> NDArray[np.int8]:
        return self.samples.labels

    @faces.default
    def _faces(self) -> TrainingFaces:
        return TrainingFaces(self.samples, self.recipe, self.modalities)

    def __getitem__(self, key: tuple[int, Draws]) -> _ReadBatch | FasError:
        """Return this process's share of the batch of these draws.

        A user's error is returned too: raised in a worker it would come out as a traceback.
        """
        epoch, draws = key
        rows = draws % len(self.samples)
        own, donors = np.arange(len(rows))[self.rank :: self.world_size], self._draw_donors(epoch, draws)
        needed = own if donors is None else np.unique([own, *donors[:, own]])
        try:
            with fetching(self.samples.path(int(row), name) for row in rows[needed] for name in self._photos):
                images, kept = self._read(epoch, draws[needed])
        except FasError as error:
            return error
        except MemoryError:
            return WorkerError(f"no memory left to read {len(needed)} samples: {MORE_MEMORY}")
        positions = np.searchsorted(needed, own)  # of the share among what was read
        if donors is not None:
            sources = np.searchsorted(needed, donors[:, own])
            images = {name: mix_quarters(batch, sources) for name, batch in images.items()}
        presence = None
        if self.recipe.train.modality_dropout > 0:
            presence = kept[positions]
        pixels = images if get_worker_info() is None else _share(images)
        labels, index = self.labels[rows[own]].astype(np.int64), rows[own].astype(np.int64)
        return _ReadBatch(pixels, labels, index, presence, len(rows))

    @property
    def _photos(self) -> tuple[str, ...]:
        """The modalities whose files are read."""
        if not self.recipe.crops:
            return self.modalities
        return tuple(dict.fromkeys(map(self.recipe.input.photo, self.modalities)))

    def _draw_donors(self, epoch: int, draws: Draws) -> NDArray[np.intp] | None:
        """Draw which samples of a batch give their quarters to which; None where the batch is not mixed."""
        rng = self._rng(epoch, 0, *draws)
        if self.recipe.augment.mix and rng.random() < self.recipe.augment.mix:
            return draw_donors(self.labels[draws % len(self.samples)], rng)
        return None

    def _rng(self, epoch: int, *key: int) -> np.random.Generator:
        """Return the generator of a sample, keyed by 1 + its draw, or of a batch, by 0 and its draws."""
        return np.random.default_rng([self.recipe.train.seed, epoch, *key])

    def _read(self, epoch: int, draws: Draws) -> tuple[dict[str, Image], NDArray[np.bool_]]:
        """Read and augment samples, and draw which of the model's modalities each keeps.

        Returns `{modality: (N, S, S, 3)}` and (N, modalities).
        """
        recipe = self.recipe
        shape = (len(draws), recipe.model.input_size, recipe.model.input_size, 3)
        images = {name: np.empty(shape, np.uint8) for name in self.modalities}
        kept = np.empty((len(draws), len(recipe.modalities)), np.bool_)
        for index, draw in enumerate(draws):
            rng = self._rng(epoch, 1 + draw)
            for name, face in self.faces.read(int(draw) % len(self.samples), rng).items():
                images[name][index] = face
            kept[index] = draw_presence(rng, len(recipe.modalities), recipe.train.modality_dropout)
        return images, kept


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
            with ignoring_deaths():
                iterator._shutdown_workers()
        self._iterator = None

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        if self.num_workers:
            use_locked_folder()
            kill_workers_at_exit()
        try:
            with holding_back_signals():
                batches = super().__iter__()
        except OSError as error:
            raise WorkerError(
                f"cannot start {self.num_workers} processes that read images: {error.strerror or error}: "
                "give fewer --workers; --workers 0 reads in the main process"
            ) from error
        try:
            for batch in batches:
                if isinstance(batch, FasError):
                    raise batch
                yield batch.to_batch()
        except (EOFError, ConnectionError) as error:  # a process died while it passed pixels on, a moment ago
            self.close()
            raise WorkerError(explain_death("unknown", "")) from error


def training_loader(
    samples: SampleTable,
    recipe: Recipe,
    *,
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
        also: modalities that the loss reads in addition to the model's.
        start_batch: how many batches to skip when a run continues; the others stay the same.
        pin: whether batches are copied to an accelerator, which pinned memory makes faster.

    Raises:
        DataError: too few samples, or classes or species that cannot be balanced, at once; an unreadable
            image, when its batch is due.
        FasError: the recipe's cache of faces cannot be made, or its disk is too small.
        WorkerError: the processes cannot be started; raised when the first batch is due.
    """
    train, groups = recipe.train, group_rows(samples, recipe.train.balance)

    def draw(epoch: int) -> list[Draws]:
        return epoch_batches(groups, train.batch_size, seed=train.seed, epoch=epoch, world_size=world_size)

    modalities = tuple(dict.fromkeys((*recipe.modalities, *also)))
    batches = TrainingBatches(samples, recipe, modalities, rank, world_size)
    if (cache := batches.faces.cache) is not None:
        cache.prepare(quiet=rank > 0)
    loader = TrainingLoader(batches, draw, pin)
    loader.start_epoch(epoch, start_batch)
    return loader


def copy_loader(
    samples: SampleTable, recipe: Recipe, *, epoch: int, batch_size: int, start: int = 0
) -> TrainingLoader:
    """Build the loader of an augmented copy of every sample from row `start`, in the table's order.

    The copies are those that training shows in `epoch`. Raises as `training_loader`.
    """
    rows = [
        np.arange(first, min(first + batch_size, len(samples)), dtype=np.int64)
        for first in range(start, len(samples), batch_size)
    ]
    batches = TrainingBatches(samples, recipe, recipe.modalities)
    if (cache := batches.faces.cache) is not None:
        cache.prepare(quiet=epoch > 1 or start > 0)
    loader = TrainingLoader(batches, lambda _: rows, False)
    loader.start_epoch(epoch)
    return loader
