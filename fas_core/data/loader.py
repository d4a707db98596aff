"""Batches for training: shuffled, augmented, sharded, and the same however many processes read them."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from attrs import field, frozen
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from fas_core.config.recipe import Recipe
from fas_core.data.augment import augmented
from fas_core.data.images import Image
from fas_core.data.mixing import donors, mixed
from fas_core.data.reading import read_faces
from fas_core.errors import DataError, FasError
from fas_core.records.outputs import Batch
from fas_core.records.samples import SampleTable


def epoch_batches(
    count: int, batch_size: int, *, seed: int, epoch: int, rank: int = 0, world_size: int = 1
) -> list[NDArray[np.int64]]:
    """Rows of each batch that one process sees in one epoch.

    All `count` rows in an order that depends on (seed, epoch) alone, dealt out in turn; the first few are
    dealt again at the end, so that all processes get as many. The last batch may be smaller, and is left
    out only where it would be a single sample, which batch normalisation cannot train on.

    Raises:
        DataError: there are fewer than two rows for each process.
    """
    if count < 2 * world_size:
        raise DataError(f"{count} samples to train on: there must be two for each of {world_size} processes")
    order = np.random.default_rng([seed, epoch]).permutation(count)
    mine = np.resize(order, math.ceil(count / world_size) * world_size)[rank::world_size]
    batches = [mine[start : start + batch_size] for start in range(0, len(mine), batch_size)]
    return batches if len(batches[-1]) > 1 else batches[:-1]


def kept(rng: np.random.Generator, modalities: int, dropout: float) -> NDArray[np.bool_]:
    """(modalities,) each left out with that chance; where all would be, one of them stays."""
    present = rng.random(modalities) >= dropout
    if not present.any():
        present[rng.integers(modalities)] = True
    return present


@frozen(eq=False)
class Batches(Dataset[Any]):
    """From rows to a batch. A sample changes by (seed, epoch, row); mixing is by (seed, epoch, rows)."""

    samples: SampleTable
    recipe: Recipe
    epoch: int
    modalities: tuple[str, ...]
    labels: NDArray[np.int8] = field(init=False)

    @labels.default
    def _labels(self) -> NDArray[np.int8]:
        return self.samples.labels

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch | FasError:
        """The batch, or the user's error: raised in a worker it would come out as a traceback."""
        try:
            faces = [self._sample(int(row)) for row in rows]
        except FasError as error:
            return error
        images = {name: np.stack([face[name] for face, _ in faces]) for name in self.modalities}
        chance, rng = self.recipe.augment.mix, self._rng(0, *rows)
        if chance and rng.random() < chance:
            images = mixed(images, donors(self.labels[rows], rng))
        pixels = {name: torch.from_numpy(batch) for name, batch in images.items()}
        label = torch.from_numpy(self.labels[rows].astype(np.int64))
        dropout = self.recipe.train.modality_dropout > 0
        presence = torch.from_numpy(np.stack([present for _, present in faces])) if dropout else None
        return Batch(pixels, label, torch.from_numpy(rows.astype(np.int64)), presence)

    def _rng(self, *of: int) -> np.random.Generator:
        """Of a sample, 1 + its row, or of a batch, 0 and its rows."""
        return np.random.default_rng([self.recipe.train.seed, self.epoch, *of])

    def _sample(self, row: int) -> tuple[dict[str, Image], NDArray[np.bool_]]:
        recipe = self.recipe
        rng = self._rng(1 + row)
        faces = read_faces(self.samples, row, self.modalities)
        made = augmented(faces, recipe.model.input_size, recipe.augment, rng)
        return made, kept(rng, len(recipe.modalities), recipe.train.modality_dropout)


@frozen(eq=False)
class TrainingLoader:
    """Iterates over batches; `len` is how many there are."""

    loader: DataLoader[Any]

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.loader:
            if isinstance(batch, FasError):
                raise batch
            yield batch


def training_loader(
    samples: SampleTable,
    recipe: Recipe,
    *,
    epoch: int,
    also: Sequence[str] = (),
    start_batch: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> TrainingLoader:
    """One epoch's batches for one process: images uint8 (B, S, S, 3), labels and rows int64 (B,).

    Args:
        samples: all labelled, and with every modality of the recipe.
        recipe: size, augmentation, batch size, seed and the number of reading processes (0: this one).
        epoch: counts from 0.
        also: modalities that are read though the model does not take them.
        start_batch: how many batches to leave out, for a run that continues; the others are the same.
        rank: of this process.
        world_size: processes that train together.

    Raises:
        DataError: too few samples, at once; an unreadable image, when its batch is due.
    """
    rows = epoch_batches(
        len(samples),
        recipe.train.batch_size,
        seed=recipe.train.seed,
        epoch=epoch,
        rank=rank,
        world_size=world_size,
    )
    return TrainingLoader(
        DataLoader(
            Batches(samples, recipe, epoch, tuple(dict.fromkeys((*recipe.modalities, *also)))),
            batch_size=None,  # the sampler gives whole batches of rows
            sampler=rows[start_batch:],
            num_workers=recipe.train.workers,
            worker_init_fn=_ignore_interrupt,
            generator=torch.Generator(),  # its own: reading leaves the model's random numbers alone
        )
    )


def _ignore_interrupt(_: int) -> None:
    """Ctrl-C is for the process that trains; it ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
