"""The worst false accepts and false rejects, with thumbnails where the photos are there."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen
from numpy.typing import NDArray

from fas_core.config import Resize
from fas_core.data.images import encode, prepare
from fas_core.data.reading import read_faces
from fas_core.data.samples import ATTACK, LIVE, SampleTable
from fas_core.errors import DataError
from fas_core.report.systems import System
from fas_core.scores import ScoreTable

SIDE = 112
"""Of a thumbnail, in pixels."""

Rows = NDArray[np.intp]


@frozen
class Mistake:
    """A sample on the wrong side of the threshold.

    Args:
        id: of the sample.
        score: what it got.
        known: `{column: value}` of species, subject, ... as far as they are known.
        images: `{modality: data URI}`.
        why: in one sentence, where there are none.
    """

    id: str
    score: float
    known: dict[str, Any]
    images: dict[str, str]
    why: str = ""


@frozen
class Mistakes:
    """A kind of mistake: the worst of its samples, the worst first, and how many there are in all."""

    title: str
    shown: Sequence[Mistake]
    total: int


def worst_rows(scores: ScoreTable, threshold: float) -> tuple[Rows, Rows]:
    """Rows of attacks that are accepted, the highest first, and of live samples refused, the lowest first."""
    values, labels = scores.scores, scores.labels
    accepted = np.flatnonzero((labels == ATTACK) & (values >= threshold))
    refused = np.flatnonzero((labels == LIVE) & (values < threshold))
    return (
        accepted[np.argsort(-values[accepted], kind="stable")],
        refused[np.argsort(values[refused], kind="stable")],
    )


def mistakes(system: System, count: int) -> list[Mistakes]:
    """Both kinds, at most `count` samples of each; nothing without a threshold."""
    if system.threshold is None:
        return []
    titles = ("Attacks accepted", "Live samples refused")
    kinds = worst_rows(system.scores, system.threshold)
    return [
        Mistakes(title, _shown(system, rows[:count]), len(rows))
        for title, rows in zip(titles, kinds, strict=True)
    ]


def _shown(system: System, rows: Rows) -> list[Mistake]:
    """What is known of each sample, and its thumbnails."""
    table = system.scores.table.take(pa.array(rows))
    known = [name for name in table.column_names if name not in ("id", "score", "split", "label")]
    places: list[int | None] = [None] * len(rows)
    if isinstance(system.faces, SampleTable):
        places = pc.index_in(table.column("id"), system.faces.table.column("id")).to_pylist()
    found = []
    for row, place in zip(table.to_pylist(), places, strict=True):
        images, why = _thumbnails(system.faces, place)
        columns = {name: row[name] for name in known if row[name] is not None}
        found.append(Mistake(row["id"], row["score"], columns, images, why))
    return found


def _thumbnails(faces: SampleTable | str, row: int | None) -> tuple[dict[str, str], str]:
    """`{modality: data URI}` of all modalities that a sample has, or why there are none."""
    if isinstance(faces, str):
        return {}, ""  # which is said once for all of them
    if row is None:
        return {}, "not among the photos"
    there = [name for name in faces.modalities if faces.table.column(name)[row].is_valid]
    try:
        images = read_faces(faces, row, there)
    except DataError as error:
        return {}, error.message
    tiles = {name: prepare(image, None, SIDE, Resize(crop=1.0)) for name, image in images.items()}
    return {name: _data_uri(encode(tile, ".jpg")) for name, tile in tiles.items()}, ""


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
