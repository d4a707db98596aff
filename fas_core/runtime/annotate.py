"""Copies of photos with what was said of them: box, score and verdict; and where pictures of shots go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fas_core.data.images import Image, write_image
from fas_core.data.text_lists import is_image
from fas_core.errors import DataError, format_list
from fas_core.runtime.inputs import Reel, Shot

if TYPE_CHECKING:
    from fas_core.runtime.predict import Row

LEAST = 320
"""Smaller photos are enlarged to this shorter side, so that the text fits."""

LIVE, ATTACK, NEITHER = (0, 120, 60), (190, 30, 30), (90, 90, 90)
WHITE = (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def target(folder: Path, place: str, suffix: str | None = None) -> Path:
    """Where a copy goes: never outside the folder; an image as the photo is one, or one of `suffix`."""
    inside = Path(*(part for part in Path(place).parts if part not in ("..", Path(place).anchor)))
    kept = suffix is None and is_image(inside.name)
    return folder / (inside if kept else inside.with_suffix(suffix or ".png"))


def refuse_clashes(folder: Path, found: Iterable[Shot | Reel], suffix: str | None = None) -> None:
    """Nothing, when every copy has a place of its own.

    Raises:
        DataError: two would have the same, or one would replace a photo.
    """
    taken: set[Path] = set()
    photos: set[Path] = set()
    said = "annotated" if suffix is None else "explained"
    for item in found:
        place = target(folder, item.place, suffix).resolve()
        if place in taken:
            raise DataError(f"{folder}: two inputs would be {said} as {place.name}: score them one by one")
        taken.add(place)
        images = item.images.values() if isinstance(item, Shot) else ()
        photos |= {image.resolve() for image in images if isinstance(image, Path)}
    if both := sorted(taken & photos):
        raise DataError(
            f"{folder}: {said} copies would replace {format_list(both, 1)}: choose another folder"
        )


def write_annotated(folder: Path, place: str, photo: Image, rows: Sequence[Row]) -> None:
    """Draw the rows of one photo into a copy of it and write that below `folder`.

    Raises:
        FasError: it cannot be written.
    """
    write_image(target(folder, place), annotated(photo, rows))


def annotated(photo: Image, rows: Sequence[Row]) -> Image:
    """A copy, (H, W, 3) RGB, at least 320 pixels wide and high, with a frame and a label for each row."""
    scale = max(LEAST / min(photo.shape[:2]), 1)
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    copy: Image = np.array(cv2.resize(photo, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    for row in rows:
        box = (0, 0, photo.shape[1], photo.shape[0]) if row.box is None else row.box
        x, y, w, h = (round(value * scale) for value in box)
        _draw(copy, (x, y, w, h), *_label(row))
    return copy


def _label(row: Row) -> tuple[str, tuple[int, int, int]]:
    found = row.prediction
    if found is None:
        return row.reason, NEITHER
    return f"{found.verdict} {found.score:.3f}", LIVE if found.live else ATTACK


def _draw(image: Image, box: tuple[int, int, int, int], text: str, colour: tuple[int, int, int]) -> None:
    """A frame, and a label in its upper left corner: above it where there is room, else inside."""
    unit = min(image.shape[:2]) / LEAST
    thick = max(round(2 * unit), 1)
    x, y, w, h = box
    cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), colour, thick)
    (width, height), below = cv2.getTextSize(text, FONT, 0.5 * unit, thick // 2 or 1)
    pad = height // 2
    top = y - height - below - pad if y - height - below - pad >= 0 else y
    left = min(max(x, 0), max(image.shape[1] - width - pad, 0))
    cv2.rectangle(image, (left, top), (left + width + pad, top + height + below + pad), colour, -1)
    place = (left + pad // 2, top + height + pad // 2)
    cv2.putText(image, text, place, FONT, 0.5 * unit, WHITE, thick // 2 or 1, cv2.LINE_AA)
