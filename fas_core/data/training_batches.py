"""The batches of an epoch, each read, augmented and mixed by one process, for training.

The processes pass pixels on through shared memory (`/dev/shm`), and through a pipe where that is full: a
container of Docker has 64 MB of it, which is less than a few batches. A pipe costs some 10 ms for 64 samples
of three modalities at 128 pixels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import evolve, field, frozen
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from fas_core.config.recipe import Recipe
from fas_core.data.augment import Augmentations
from fas_core.data.draws import Draws
from fas_core.data.images import Image
from fas_core.data.reading_processes import MORE_MEMORY, WorkerError
from fas_core.data.remote_files import fetching
from fas_core.data.training_faces import TrainingFaces
from fas_core.errors import FasError
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
class ReadBatch:
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

    def pin_memory(self) -> ReadBatch:
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
    augmentations: Augmentations
    rank: int = 0
    world_size: int = 1
    faces: TrainingFaces = field(init=False)

    @faces.default
    def _faces(self) -> TrainingFaces:
        return TrainingFaces(self.samples, self.recipe, self.modalities, self.augmentations)

    def __getitem__(self, key: tuple[int, Draws]) -> ReadBatch | FasError:
        """Return this process's share of the batch of these draws.

        A user's error is returned too: raised in a worker it would come out as a traceback.
        """
        try:
            return self._read_share(*key)
        except FasError as error:
            return error

    def _read_share(self, epoch: int, draws: Draws) -> ReadBatch:
        rows, own = draws % len(self.samples), np.arange(len(draws))[self.rank :: self.world_size]
        labels = self.faces.labels[rows]
        mixing = self.augmentations.plan_mixing(labels, self._rng(epoch, 0, *draws))
        needed = mixing.trace(own)
        first = needed[0]
        try:
            with fetching(self.samples.path(int(row), name) for row in rows[first] for name in self._photos):
                images, kept = self._read(epoch, draws[first])
        except MemoryError:
            raise WorkerError(f"no memory left to read {len(first)} samples: {MORE_MEMORY}") from None
        images = {name: mixing.mix(batch, needed) for name, batch in images.items()}
        presence = None
        if self.recipe.train.modality_dropout > 0:
            presence = kept[np.searchsorted(first, own)]
        pixels = images if get_worker_info() is None else _share(images)
        return ReadBatch(
            pixels, labels[own].astype(np.int64), rows[own].astype(np.int64), presence, len(rows)
        )

    @property
    def _photos(self) -> tuple[str, ...]:
        """The modalities whose files are read."""
        if not self.recipe.crops:
            return self.modalities
        return tuple(dict.fromkeys(map(self.recipe.input.photo, self.modalities)))

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
