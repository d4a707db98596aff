"""The faces of training samples, augmented: read as they are, from a cache, or decoded at a reduced scale."""

from __future__ import annotations

from functools import partial

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from fas_core.config.recipe import Recipe
from fas_core.data.augment import Augmentations
from fas_core.data.face_cache import FaceCache
from fas_core.data.images import Image
from fas_core.data.reading import read_crops, read_faces
from fas_core.data.reduced_decoding import read_reduced_crops
from fas_core.records.samples import SampleTable


@frozen(eq=False)
class TrainingFaces:
    """Reads and augments the faces of samples as a recipe says.

    `modalities` are those of each sample that are read. `cache` is there if the recipe names a folder for it.
    """

    samples: SampleTable
    recipe: Recipe
    modalities: tuple[str, ...]
    augmentations: Augmentations
    labels: NDArray[np.int8] = field(init=False)
    cache: FaceCache | None = field(init=False)

    @labels.default
    def _labels(self) -> NDArray[np.int8]:
        return self.samples.labels

    @cache.default
    def _open_cache(self) -> FaceCache | None:
        folder, model_input = self.recipe.train.cache, self.recipe.input if self.recipe.crops else None
        return None if folder is None else FaceCache(folder, self.samples, self.modalities, model_input)

    def read(self, row: int, rng: np.random.Generator) -> dict[str, Image]:
        """Return one sample's augmented faces, `{modality: (S, S, 3)}`; `rng` is the sample's own.

        Raises:
            FasError: an image cannot be read, the cache cannot be written, or an augmentation failed.
        """
        size = self.recipe.model.input_size
        if self.recipe.train.reduced_decoding:
            draw = partial(self.augmentations.draw_crop, rng=rng)
            crops = read_reduced_crops(self.samples, row, self.modalities, size, draw)
        else:
            crops = self.augmentations.crop(self._read_faces(row), size, rng)
        return self.augmentations.change(crops, int(self.labels[row]), rng)

    def _read_faces(self, row: int) -> dict[str, Image]:
        def decode() -> dict[str, Image]:
            if self.recipe.crops:
                return read_crops(self.samples, row, self.recipe.input, self.modalities)
            return read_faces(self.samples, row, self.modalities)

        return decode() if self.cache is None else self.cache.read(row, decode)
