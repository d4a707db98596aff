"""Draw a contact sheet: some samples of each species, all modalities side by side."""

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


def draw_contact_sheet(samples: SampleTable, modalities: Sequence[str], per_species: int) -> Image:
    """Return an image (H, W, 3) with a row for each species, live first.

    Args:
        samples: the table.
        modalities: drawn side by side, for each sample that has them.
        per_species: number of samples of each species, evenly spread over the table.

    Raises:
        DataError: there are no samples, or an image cannot be read.
    """
    if not len(samples):
        raise DataError(f"{samples.root}: no samples to show")
    groups = _group_by_species(samples)
    margin = 12 + max(_measure_text(f"{name} {len(rows)}") for name, rows in groups.items())
    step, block = TILE + GAP, len(modalities) * (TILE + GAP) + GAP
    sheet = np.full((HEAD + len(groups) * step, margin + per_species * block, 3), 255, np.uint8)
    for column in range(per_species):
        for index, modality in enumerate(modalities):
            _write_text(sheet, modality, margin + column * block + index * step, HEAD - 7)
    for line, (name, rows) in enumerate(groups.items()):
        top = HEAD + line * step
        _write_text(sheet, f"{name} {len(rows)}", 6, top + TILE // 2)
        for column, row in enumerate(_select_evenly(rows, per_species)):
            present = [modality for modality in modalities if samples.has(row, modality)]
            for modality, face in read_faces(samples, row, present).items():
                x = margin + column * block + modalities.index(modality) * step
                sheet[top : top + TILE, x : x + TILE] = prepare(face, TILE, Resize(crop=1.0))
    return sheet


def _group_by_species(samples: SampleTable) -> dict[str, list[int]]:
    """Return the rows of each species, or label where the species is unknown; live first."""
    groups: dict[str, list[int]] = {}
    for row, (label, species) in enumerate(
        zip(samples.column("label"), samples.column("species"), strict=True)
    ):
        groups.setdefault(species or LABELS[label], []).append(row)
    return {name: groups[name] for name in sorted(groups, key=lambda name: (name != "live", name))}


def _select_evenly(rows: list[int], count: int) -> list[int]:
    positions = np.linspace(0, len(rows) - 1, min(count, len(rows))).round()
    return [rows[int(position)] for position in positions]


def _write_text(sheet: Image, text: str, x: int, y: int) -> None:
    cv2.putText(sheet, text, (x, y), FONT, SCALE, (0, 0, 0), 1, cv2.LINE_AA)


def _measure_text(text: str) -> int:
    return int(cv2.getTextSize(text, FONT, SCALE, 1)[0][0])
