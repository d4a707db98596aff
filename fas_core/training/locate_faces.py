"""Faces of training photos, detected once before training, for a recipe that states its crops."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pyarrow as pa
from attrs import evolve
from numpy.typing import NDArray

from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.data.faces import is_face_crop
from fas_core.data.images import read_pixels, scale_box
from fas_core.data.parallel import ordered
from fas_core.data.remote_files import reading_threads
from fas_core.errors import format_list
from fas_core.inference.peers import ALONE, Peers, in_step, join_scores, own_rows
from fas_core.records.model_input import ModelInput
from fas_core.records.samples import BOX, SampleTable
from fas_core.runtime.face_selection import FaceSelector
from fas_core.training.splits import check_trainable

BLOCK = 32
"""Samples of a process between two waits for the other processes."""

NO_FACE = (np.nan, np.nan, np.nan, np.nan)
WHOLE = (0.0, 0.0, 0.0, 0.0)
"""Of an image that is a face crop already."""


def locate_faces(train: SampleTable, recipe: Recipe, peers: Peers = ALONE) -> SampleTable:
    """Return training samples with the box of their face; those without one are left out, with a warning.

    A sample keeps its box; else faces are detected as in evaluation, where a photo without one has no score.
    Without `recipe.crops`, and where all samples have a box, the table is returned as it is. Each of `peers`
    searches its share.

    Raises:
        DataError: an image cannot be read, or what remains is not both live samples and attacks.
    """
    if not recipe.crops or not train.table.column("box").null_count:
        return train
    rows, selector = own_rows(len(train), peers), FaceSelector(model_input=recipe.input)
    located = []
    with console.progress("faces", len(rows), "samples") as bar:
        for block in in_step(_detect(train.take(rows), recipe.input, selector, recipe.train.workers), peers):
            located += block
            bar.advance(len(block))
    columns = np.array(located, np.float64).reshape(-1, 4).T
    boxes = np.stack([join_scores(column.copy(), len(train), peers) for column in columns], axis=1)
    has_face = ~np.isnan(boxes[:, 0])
    if not has_face.all():
        names = [str(name) for name in train.take(~has_face).column("id")]
        console.warn_once(
            f"{train.root}: {len(names)} of {len(train)} training samples have no face that "
            f"{selector.detector.name} detects, and are left out: {format_list(names)}"
        )
    samples = _set_boxes(train.take(has_face), boxes[has_face])
    check_trainable(samples)
    return samples


def _detect(
    samples: SampleTable, model_input: ModelInput, selector: FaceSelector, workers: int
) -> Iterator[list[tuple[float, ...]]]:
    """Yield blocks of boxes in pixels of the table's first images, or `NO_FACE` or `WHOLE`."""

    def detect(row: int) -> tuple[float, ...]:
        box = samples.box(row)
        if box is not None:
            return box
        paths = {name: samples.path(row, name) for name in model_input.photos}
        photos = {name: read_pixels(path) for name, path in paths.items()}
        first = next(iter(photos))
        selection = selector.select(photos, is_crop=is_face_crop(paths[first]))
        if not selection.crops:
            return NO_FACE
        face, reference = selection.crops[0].box, samples.modalities[0]
        if face is None:
            return WHOLE
        if reference == first or not samples.has(row, reference):
            return face
        other = photos[reference] if reference in photos else read_pixels(samples.path(row, reference))
        return scale_box(face, photos[first].shape, other.shape)

    boxes = ordered(detect, range(len(samples)), reading_threads(samples, workers))
    while block := list(islice(boxes, BLOCK)):
        yield block


def _set_boxes(samples: SampleTable, boxes: NDArray[np.float64]) -> SampleTable:
    """Return samples with boxes (N, 4); `WHOLE` is none."""
    column = pa.array([None if not box[2] else box for box in boxes.tolist()], BOX)
    table = samples.table
    return evolve(samples, table=table.set_column(table.schema.get_field_index("box"), "box", column))
