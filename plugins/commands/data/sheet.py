"""A contact sheet: a few samples of each species, all modalities side by side."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from fas_core.data.images import Image, prepare
from fas_core.data.reading import read_faces
from fas_core.errors import DataError
from fas_core.records.model_input import Resize
from fas_core.records.samples import SampleTable

TILE, GAP, HEAD = 112, 4, 22
FONT, SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.4
LABELS = {1: "live", 0: "attack", None: "unknown"}


def contact_sheet(samples: SampleTable, modalities: Sequence[str], per_species: int) -> Image:
    """(H, W, 3): a row for each species, live first; `per_species` samples of each, spread over the table.

    Raises:
        DataError: there are no samples, or an image cannot be read.
    """
    if not len(samples):
        raise DataError(f"{samples.root}: no samples to show")
    groups = _groups(samples)
    left = 12 + max(_width(f"{name} {len(rows)}") for name, rows in groups.items())
    step, block = TILE + GAP, len(modalities) * (TILE + GAP) + GAP
    sheet = np.full((HEAD + len(groups) * step, left + per_species * block, 3), 255, np.uint8)
    for column in range(per_species):
        for place, modality in enumerate(modalities):
            _write(sheet, modality, left + column * block + place * step, HEAD - 7)
    for line, (name, rows) in enumerate(groups.items()):
        top = HEAD + line * step
        _write(sheet, f"{name} {len(rows)}", 6, top + TILE // 2)
        for column, row in enumerate(_spread(rows, per_species)):
            there = [modality for modality in modalities if samples.has(row, modality)]
            for modality, face in read_faces(samples, row, there).items():
                at = left + column * block + modalities.index(modality) * step
                sheet[top : top + TILE, at : at + TILE] = prepare(face, TILE, Resize(crop=1.0))
    return sheet


def _groups(samples: SampleTable) -> dict[str, list[int]]:
    """Rows by species, where that is not known by label; live first."""
    groups: dict[str, list[int]] = {}
    for row, (label, species) in enumerate(
        zip(samples.column("label"), samples.column("species"), strict=True)
    ):
        groups.setdefault(species or LABELS[label], []).append(row)
    return {name: groups[name] for name in sorted(groups, key=lambda name: (name != "live", name))}


def _spread(rows: list[int], count: int) -> list[int]:
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).round()
    return [rows[int(place)] for place in places]


def _write(sheet: Image, text: str, x: int, y: int) -> None:
    cv2.putText(sheet, text, (x, y), FONT, SCALE, (0, 0, 0), 1, cv2.LINE_AA)


def _width(text: str) -> int:
    return int(cv2.getTextSize(text, FONT, SCALE, 1)[0][0])
