"""The worst false accepts and false rejects, with thumbnails where the photos are there, and where the model
is there too with what it looked at."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import frozen
from numpy.typing import NDArray

from fas_core.console import Bar, console
from fas_core.data.images import Image, encode, prepare
from fas_core.data.parallel import cores, ordered
from fas_core.data.reading import read_faces
from fas_core.errors import DataError, FasError
from fas_core.records.model_input import Resize
from fas_core.records.samples import ATTACK, LIVE, SampleTable
from fas_core.runtime.explain import Explainer
from fas_core.runtime.heatmap import OCCLUSION, draw_maps
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.report.systems import System

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
        pictures: `{kind: {modality: data URI}}`: the photos, and maps of what the model looked at.
        why: in one sentence, where some are lacking.
    """

    id: str
    score: float
    known: dict[str, Any]
    pictures: Mapping[str, Mapping[str, str]]
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


def mistakes(system: System, count: int, explainer: Explainer | None = None) -> list[Mistakes]:
    """Both kinds, at most `count` samples of each; nothing without a threshold.

    Args:
        system: whose mistakes.
        count: at most so many of a kind.
        explainer: of the system's model; None for photos alone.
    """
    if system.threshold is None:
        return []
    titles = ("Attacks accepted", "Live samples refused")
    kinds = worst_rows(system.scores, system.threshold)
    with console.progress("looking", sum(len(rows[:count]) for rows in kinds)) as bar:
        return [
            Mistakes(title, _shown(system, rows[:count], explainer, bar), len(rows))
            for title, rows in zip(titles, kinds, strict=True)
        ]


def _shown(system: System, rows: Rows, explainer: Explainer | None, bar: Bar) -> list[Mistake]:
    """What is known of each sample, and its pictures."""
    table = system.scores.table.take(pa.array(rows))
    known = [name for name in table.column_names if name not in ("id", "score", "split", "label")]
    places: list[int | None] = [None] * len(rows)
    if isinstance(system.faces, SampleTable):
        places = pc.index_in(table.column("id"), system.faces.table.column("id")).to_pylist()
    found = []
    shown = ordered(lambda place: _pictures(system.faces, place, explainer), places, cores())
    for row, (pictures, why) in zip(table.to_pylist(), shown, strict=True):
        columns = {name: row[name] for name in known if row[name] is not None}
        found.append(Mistake(row["id"], row["score"], columns, pictures, why))
        bar.advance()
    return found


def _pictures(
    faces: SampleTable | str, row: int | None, explainer: Explainer | None
) -> tuple[dict[str, dict[str, str]], str]:
    """Of all modalities that a sample has, or why there are none."""
    if isinstance(faces, str):
        return {}, ""  # which is said once for all of them
    if row is None:
        return {}, "not among the photos"
    there = [name for name in faces.modalities if faces.table.column(name)[row].is_valid]
    try:
        images = read_faces(faces, row, there)
    except DataError as error:
        return {}, error.message
    drawn = {"image": {name: prepare(image, SIDE, Resize(crop=1.0)) for name, image in images.items()}}
    why = ""
    if explainer is not None:
        try:
            drawn |= _maps(explainer, images)
        except FasError as error:
            why = error.message
    uris = {
        kind: {name: _data_uri(encode(tile, ".jpg")) for name, tile in tiles.items()}
        for kind, tiles in drawn.items()
    }
    return uris, why


def _maps(explainer: Explainer, images: Mapping[str, Image]) -> dict[str, dict[str, Image]]:
    """Over the faces as the model takes them: the central part, by its rule."""
    taken = explainer.predictor.card.modalities
    face = explainer.predictor.prepare({name: images[name] for name in taken if name in images})
    maps = explainer.explain(face)
    drawn = draw_maps(maps, face, SIDE)
    return {f"{kind} ±{maps.peak:.2g}" if kind == OCCLUSION else kind: tiles for kind, tiles in drawn.items()}


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
