"""Reading samples for evaluation: batches in order, decoded by threads, without torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import compress, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fas_core.data.detectors import FaceDetector, face_detector
from fas_core.data.faces import NOT_PHOTOS, is_face_crop, largest
from fas_core.data.images import (
    Box,
    Image,
    Pixels,
    box_overlaps,
    crop,
    prepare,
    read_pixels,
    scale_box,
    to_uint8,
)
from fas_core.data.parallel import ordered
from fas_core.data.remote_files import reading_threads
from fas_core.data.scaled_crops import crop_inputs
from fas_core.errors import DataError
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import SampleTable


class HasShape(Protocol):
    """An image, decoded or not, of `shape` (H, W, ...)."""

    @property
    def shape(self) -> tuple[int, ...]: ...


def read_faces(samples: SampleTable, row: int, modalities: Sequence[str]) -> dict[str, Image]:
    """Read one sample as `{modality: (H, W, 3)}`, cropped to its box where it has one; sizes may differ.

    Raises:
        DataError: an image cannot be read, or the box lies outside it.
    """
    images = {modality: read_pixels(samples.path(row, modality)) for modality in modalities}
    located = locate_box(samples, row, images)
    if located is None:
        return {modality: to_uint8(image) for modality, image in images.items()}
    box, shape = located
    return {name: crop(image, scale_box(box, shape, image.shape)) for name, image in images.items()}


def read_crops(
    samples: SampleTable, row: int, model_input: ModelInput, modalities: Sequence[str]
) -> dict[str, Image]:
    """Read one sample as a model takes it that states its crops: `{modality: (F, F, 3)}`.

    The face is the sample's box, else the largest one that is detected in its first photo. Images below a
    folder of face crops, and depth maps alone, are taken whole.

    Raises:
        DataError: an image cannot be read, the box lies outside it, or no face is detected.
    """
    if missing := [name for name in modalities if name not in model_input.modalities]:
        raise DataError(f"{missing[0]!r} images: the recipe's crops are of the model's modalities only")
    names = list(dict.fromkeys(model_input.photo(modality) for modality in modalities))
    photos = {name: read_pixels(samples.path(row, name)) for name in names}
    located, first = locate_box(samples, row, photos), next(iter(photos.values()))
    face: Box | None = None
    if located is not None:
        face = scale_box(*located, first.shape)
    elif not is_face_crop(samples.path(row, names[0])):
        face = _detect_face(samples, row, photos)
    images = crop_inputs(photos, face, model_input)
    return {modality: images[modality] for modality in modalities}


def _detect_face(samples: SampleTable, row: int, photos: Mapping[str, Pixels]) -> Box | None:
    """Return the largest face in pixels of the first photo; None of depth maps, which show none."""
    name = next((name for name in photos if name not in NOT_PHOTOS), None)
    if name is None:
        return None
    face = largest(_detector(os.getpid())(to_uint8(photos[name])))
    if face is None:
        path = samples.path(row, name)
        raise DataError(f"{path}: no face is detected, around which the model's crops are: give its box")
    return scale_box(face.box, photos[name].shape, next(iter(photos.values())).shape)


@cache
def _detector(_: int) -> FaceDetector:
    """Return the detector of a process, by its id: a forked one builds its own."""
    return face_detector(None)


def locate_box(
    samples: SampleTable, row: int, images: Mapping[str, HasShape]
) -> tuple[Box, tuple[int, ...]] | None:
    """Return a sample's box and the shape of the image in whose pixels it is; None where it has no box.

    Raises:
        DataError: the box lies outside that image, or the image cannot be read.
    """
    box = samples.box(row)
    if box is None:
        return None
    first = samples.modalities[0]  # the box is in its pixels
    if first not in images and not samples.has(row, first):
        sample = f"{samples.root}: sample {samples.table.column('id')[row].as_py()!r}"
        raise DataError(f"{sample}: its box is in pixels of its {first!r} image, which it lacks")
    path = samples.path(row, first)
    shape = (images[first] if first in images else read_pixels(path)).shape
    if not box_overlaps(box, shape):
        size = f"{shape[1]} x {shape[0]} pixels"
        raise DataError(f"{path}: box {list(box)} lies outside the image of {size}")
    return box, shape


def batches(
    samples: SampleTable,
    model_input: ModelInput,
    batch_size: int,
    workers: int,
    presence: NDArray[np.bool_] | None = None,
) -> Iterator[dict[str, Image]]:
    """Read all samples by the evaluation rule: `{modality: uint8 (B, F, F, 3)}`, in the table's order.

    Args:
        samples: each has every photo (`SampleTable.need`) unless `presence` is passed.
        model_input: modalities, face size F, and the rule (see `fas_core.data.images.prepare`, or its crops).
        batch_size: B of all batches but the last.
        workers: threads that read, more where URLs are read; 0 reads in the calling thread.
        presence: (N, modalities) False where a modality is not read; its images are zeros.

    Raises:
        DataError: an image cannot be read; raised when its batch is due.
    """
    modalities, size = model_input.modalities, model_input.face_size
    blank = np.zeros((size, size, 3), np.uint8)

    def read(row: int) -> dict[str, Image]:
        present = modalities if presence is None else list(compress(modalities, presence[row]))
        if model_input.crops:
            inputs = read_crops(samples, row, model_input, present)
        else:
            faces = read_faces(samples, row, present)
            inputs = {name: prepare(face, size, model_input.resize) for name, face in faces.items()}
        return {modality: inputs.get(modality, blank) for modality in modalities}

    workers = reading_threads(samples, workers)
    images = ordered(read, range(len(samples)), workers, ahead=max(batch_size, 4 * workers))
    while batch := list(islice(images, batch_size)):
        yield {modality: np.stack([image[modality] for image in batch]) for modality in modalities}
