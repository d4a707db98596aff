"""The worst misclassified samples of a system, with thumbnails and maps of what its model looked at."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen
from numpy.typing import NDArray

from fas_core.console import console
from fas_core.data.images import Image, encode, prepare
from fas_core.data.parallel import cores, ordered
from fas_core.data.reading import read_crops, read_faces
from fas_core.errors import DataError, FasError
from fas_core.progress import Progress
from fas_core.records.model_input import Resize
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_core.runtime.explain import Explainer
from fas_core.runtime.pictures import OCCLUSION, draw_maps
from fas_core.scores.rejection import RejectBand
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.report.systems import EvaluatedSystem

SIDE = 112
"""Side of a thumbnail in pixels."""

FULL_SIDE = 384
"""The most pixels of a side that a photo keeps, which is shown as a thumbnail until it is clicked."""

Rows = NDArray[np.intp]
Tiles = dict[str, dict[str, Image]]
"""`{kind: {modality: (S, S, 3)}}`; the kinds are `image` and the names of maps."""


@frozen
class MisclassifiedSample:
    """A sample on the wrong side of the threshold.

    Args:
        id: of the sample.
        score: of the sample.
        columns: `{column: value}` of its species, subject and other known columns.
        images: `{kind: {modality: data URI}}`; the kinds are `image` and the names of maps.
        note: one sentence that says why images are missing; empty if none are.
    """

    id: str
    score: float
    columns: dict[str, Any]
    images: Mapping[str, Mapping[str, str]]
    note: str = ""


@frozen
class MisclassifiedGroup:
    """The misclassified samples of one class.

    Args:
        title: names the kind of error.
        samples: the shown samples, the worst first.
        total: number of all misclassified samples of this class.
    """

    title: str
    samples: Sequence[MisclassifiedSample]
    total: int


def rank_misclassified(
    scores: ScoreTable, threshold: float, reject: RejectBand | None = None
) -> tuple[Rows, Rows]:
    """Return rows of accepted attacks, highest score first, and of refused live samples, lowest first.

    Samples with a score in `reject` have no verdict, and so no wrong one.
    """
    low, high = (threshold, threshold) if reject is None else (reject.low, reject.high)
    values, labels = scores.scores, scores.labels
    accepted = np.flatnonzero((labels == ATTACK) & (values >= high))
    refused = np.flatnonzero((labels == LIVE) & (values < low))
    return (
        accepted[np.argsort(-values[accepted], kind="stable")],
        refused[np.argsort(values[refused], kind="stable")],
    )


def find_misclassified(
    system: EvaluatedSystem, count: int, explainer: Explainer | None = None
) -> list[MisclassifiedGroup]:
    """Return accepted attacks and refused live samples; an empty list without a threshold.

    Args:
        system: an evaluated system.
        count: maximum number of samples per group.
        explainer: of the system's model; None for photos without maps.
    """
    if system.threshold is None:
        return []
    titles = ("Attacks accepted", "Live samples refused")
    rankings = rank_misclassified(system.scores, system.threshold, system.result.reject)
    total = sum(len(rows[:count]) for rows in rankings)
    with console.progress("worst mistakes", total, "photos") as bar:
        return [
            MisclassifiedGroup(title, _describe_samples(system, rows[:count], explainer, bar), len(rows))
            for title, rows in zip(titles, rankings, strict=True)
        ]


def _describe_samples(
    system: EvaluatedSystem, rows: Rows, explainer: Explainer | None, bar: Progress
) -> list[MisclassifiedSample]:
    table = system.scores.table.take(pa.array(rows))
    shown_columns = [name for name in table.column_names if name not in ("id", "score", "split", "label")]
    photo_rows: list[int | None] = [None] * len(rows)
    if isinstance(system.photos, SampleTable):
        photo_rows = pc.index_in(table.column("id"), system.photos.table.column("id")).to_pylist()
    images = ordered(lambda row: _render_images(system.photos, row, explainer), photo_rows, cores())
    samples = []
    for row, (uris, note) in zip(table.to_pylist(), images, strict=True):
        columns = {name: row[name] for name in shown_columns if row[name] is not None}
        samples.append(MisclassifiedSample(row["id"], row["score"], columns, uris, note))
        bar.advance()
    return samples


def _render_images(
    photos: SampleTable | str, row: int | None, explainer: Explainer | None
) -> tuple[dict[str, dict[str, str]], str]:
    """Return data URIs by kind and modality, and a sentence that says why some are missing."""
    if isinstance(photos, str):
        return {}, ""  # the page gives the reason once for all samples
    if row is None:
        return {}, "no photo with this id"
    modalities = [name for name in photos.modalities if photos.table.column(name)[row].is_valid]
    try:
        images = read_faces(photos, row, modalities)
    except DataError as error:
        return {}, error.message
    tiles = {"image": {name: _fit(image) for name, image in images.items()}}
    note = ""
    if explainer is not None:
        try:
            model_input = explainer.predictor.card.input
            if model_input.crops:
                present = [name for name in model_input.modalities if model_input.photo(name) in modalities]
                images = read_crops(photos, row, model_input, present)
            tiles |= _render_maps(explainer, images)
        except FasError as error:
            note = error.message
    uris = {
        kind: {name: _to_data_uri(encode(tile, ".jpg")) for name, tile in by_modality.items()}
        for kind, by_modality in tiles.items()
    }
    return uris, note


def _fit(image: Image) -> Image:
    """Return a photo as a square of its own size, but for very small and large ones."""
    return prepare(image, min(max(SIDE, *image.shape[:2]), FULL_SIDE), Resize(crop=1.0))


def _render_maps(explainer: Explainer, images: Mapping[str, Image]) -> Tiles:
    """Draw maps over the faces as the model sees them, resized by its rule."""
    modalities = explainer.predictor.card.modalities
    face = explainer.predictor.prepare({name: images[name] for name in modalities if name in images})
    maps = explainer.explain(face)
    tiles = draw_maps(maps, face, SIDE)
    return {f"{kind} ±{maps.peak:.2g}" if kind == OCCLUSION else kind: tile for kind, tile in tiles.items()}


def _to_data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
