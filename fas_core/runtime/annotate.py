"""Copies of photos with box, score and verdict drawn, and the paths of such copies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from fas_core.data.images import Image
from fas_core.data.text_lists import is_image
from fas_core.errors import DataError, format_list
from fas_core.runtime.inputs import Input, InputSample
from fas_core.runtime.predictor import FaceResult

MIN_SIDE = 320
"""Smaller photos are enlarged to this shorter side, so that the text fits."""

LIVE, ATTACK, NOT_SCORED = (0, 120, 60), (190, 30, 30), (90, 90, 90)
WHITE = (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def output_path(folder: Path, relative: str, suffix: str | None = None) -> Path:
    """Return the path of a copy, never outside `folder`; without `suffix` an image keeps its own."""
    path = Path(*(name for name in Path(relative).parts if name not in ("..", Path(relative).anchor)))
    return folder / (path if suffix is None and is_image(path.name) else path.with_suffix(suffix or ".png"))


def check_output_paths(folder: Path, inputs: Iterable[Input], suffix: str | None = None) -> None:
    """Check that every copy has a path of its own.

    Raises:
        DataError: two copies would have the same path, or one would replace a photo.
    """
    copies: set[Path] = set()
    photos: set[Path] = set()
    verb = "annotated" if suffix is None else "explained"
    for item in inputs:
        path = output_path(folder, item.copy_path, suffix).resolve()
        if path in copies:
            raise DataError(f"{folder}: two inputs would be {verb} as {path.name}: score them one by one")
        copies.add(path)
        images = item.images.values() if isinstance(item, InputSample) else ()
        photos |= {image.resolve() for image in images if isinstance(image, Path)}
    if replaced := sorted(copies & photos):
        raise DataError(
            f"{folder}: {verb} copies would replace {format_list(replaced, 1)}: choose another folder"
        )


def annotate(photo: Image, results: Sequence[FaceResult]) -> Image:
    """Return a copy (H, W, 3), at least 320 pixels wide and high, with a frame and label for each result."""
    scale = max(MIN_SIDE / min(photo.shape[:2]), 1)
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    copy: Image = np.array(cv2.resize(photo, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    for result in results:
        box = (0, 0, photo.shape[1], photo.shape[0]) if result.box is None else result.box
        x, y, w, h = (round(value * scale) for value in box)
        _draw(copy, (x, y, w, h), *_label(result))
    return copy


def _label(result: FaceResult) -> tuple[str, tuple[int, int, int]]:
    prediction = result.prediction
    if prediction is None:
        return result.reason, NOT_SCORED
    return f"{prediction.verdict} {prediction.score:.3f}", LIVE if prediction.live else ATTACK


def _draw(image: Image, box: tuple[int, int, int, int], text: str, colour: tuple[int, int, int]) -> None:
    """Draw a frame with a label at its upper left corner: above it where there is space, else inside."""
    unit = min(image.shape[:2]) / MIN_SIDE
    thickness = max(round(2 * unit), 1)
    x, y, w, h = box
    cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), colour, thickness)
    (width, height), baseline = cv2.getTextSize(text, FONT, 0.5 * unit, thickness // 2 or 1)
    padding = height // 2
    above = y - height - baseline - padding
    top = above if above >= 0 else y
    left = min(max(x, 0), max(image.shape[1] - width - padding, 0))
    cv2.rectangle(image, (left, top), (left + width + padding, top + height + baseline + padding), colour, -1)
    origin = (left + padding // 2, top + height + padding // 2)
    cv2.putText(image, text, origin, FONT, 0.5 * unit, WHITE, thickness // 2 or 1, cv2.LINE_AA)
