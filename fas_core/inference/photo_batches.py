"""Reading samples for a model that crops photos: batches of faces in order, and which samples have one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from fas_core.data.faces import is_face_crop
from fas_core.data.images import Image, prepare, read_pixels
from fas_core.data.parallel import ordered
from fas_core.data.remote_files import reading_threads
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable
from fas_core.runtime.face_selection import FaceSelector


def photo_batches(
    samples: SampleTable, model_input: ModelInput, faces: FaceSelector, batch_size: int, workers: int
) -> Iterator[tuple[NDArray[np.bool_], dict[str, Image]]]:
    """Yield for each batch (B,) which samples have a face, and `{modality: uint8 (N, F, F, 3)}` of those.

    A face is at the sample's box, or else detected as `FaceSelector.select` says; the largest counts.

    Args:
        samples: each has every photo that the model takes (`SampleTable.need`).
        batch_size: B of all batches but the last.
        workers: threads that read and detect, more where URLs are read; 0 does so in the calling thread.

    Raises:
        DataError: an image cannot be read, or a box lies outside its image; raised when its batch is due.
    """

    def read(row: int) -> dict[str, Image] | None:
        paths = {name: samples.path(row, name) for name in model_input.photos}
        photos = {name: read_pixels(path) for name, path in paths.items()}
        is_crop = is_face_crop(next(iter(paths.values())))
        selection = faces.select(photos, box=samples.box(row), is_crop=is_crop)
        if not selection.crops:
            return None
        images = selection.crops[0].images
        if model_input.crops:
            return dict(images)
        size, resize = model_input.face_size, model_input.resize
        return {name: prepare(image, size, resize) for name, image in images.items()}

    workers = reading_threads(samples, workers)
    results = ordered(read, range(len(samples)), workers, ahead=max(batch_size, 4 * workers))
    while batch := list(islice(results, batch_size)):
        images = [result for result in batch if result is not None]
        has_face = np.array([result is not None for result in batch])
        yield (
            has_face,
            {name: np.stack([image[name] for image in images]) for name in images[0]} if images else {},
        )
