"""Pictures of explanations: maps drawn over faces, with the score and a legend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from attrs import frozen

from fas_core.data.images import Image, write_image
from fas_core.runtime.annotate import FONT, output_path
from fas_core.runtime.explain import Explainer, ExplanationMaps, Map
from fas_core.runtime.predictor import Face, Prediction

FOR_LIVE, FOR_ATTACK = (20, 120, 255), (255, 120, 0)
LIVE, ATTACK = (10, 95, 163), (178, 69, 3)
"""Blue and orange, which people with red-green colour blindness can tell apart. Darker for text."""

MAX_OPACITY = 0.65
"""Of the colour where the map is strongest; the rest is the face."""

TILE, GAP, LINE = 224, 10, 24
BLACK, GREY = (25, 28, 33), (88, 94, 103)

GRAD_CAM, OCCLUSION = "Grad-CAM", "occlusion"


@frozen(eq=False)
class ExplanationWriter:
    """Writes a PNG of each input's explanation below a folder."""

    explainer: Explainer
    folder: Path

    def write(self, relative: str, faces: Sequence[tuple[Face, Prediction]]) -> Path:
        """Write the picture of an input's faces, one below the other, and return its path.

        Args:
            relative: the input's path below the folder.
            faces: at least one.

        Raises:
            FasError: the file cannot be written.
        """
        sheets = [draw_sheet(face, prediction, self.explainer.explain(face)) for face, prediction in faces]
        path = output_path(self.folder, relative, ".png")
        write_image(path, np.concatenate(sheets))
        return path


def draw_maps(maps: ExplanationMaps, face: Face, side: int) -> dict[str, dict[str, Image]]:
    """Draw `{kind of map: {modality: (side, side, 3)}}`, each map over its face.

    Occlusion has one scale for all modalities; Grad-CAM has a scale for each.
    """
    pictures = {}
    if maps.grad_cam is not None:
        pictures[GRAD_CAM] = {
            name: draw_heatmap(face[name], values, float(values.max()), side)
            for name, values in maps.grad_cam.items()
        }
    pictures[OCCLUSION] = {
        name: draw_heatmap(face[name], values, maps.peak, side) for name, values in maps.occlusion.items()
    }
    return pictures


def draw_heatmap(face: Image, values: Map, scale: float, side: int) -> Image:
    """Draw a map over the face in grey: blue above 0, orange below; (side, side, 3).

    Args:
        face: (S, S, 3).
        values: (S, S).
        scale: absolute value of the strongest colour; 0 where all values are.
        side: of the result, in pixels.
    """
    grey = _resize(face, side).mean(axis=2, keepdims=True)
    large = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)[..., None]
    opacity = MAX_OPACITY * np.clip(abs(large) / (scale or 1), 0, 1)
    colour = np.where(large > 0, FOR_LIVE, FOR_ATTACK)
    return np.asarray((grey * (1 - opacity) + colour * opacity).round(), np.uint8)


def draw_sheet(face: Face, prediction: Prediction, maps: ExplanationMaps) -> Image:
    """(H, W, 3): the score of a face, and a row for each modality with the image and its maps."""
    columns = {"face": {name: _resize(image, TILE) for name, image in face.items()}}
    columns |= draw_maps(maps, face, TILE)
    row_height = TILE + LINE + GAP
    width = GAP + len(columns) * (TILE + GAP)
    sheet = np.full((2 * LINE + GAP + len(face) * row_height + LINE, width, 3), 255, np.uint8)
    threshold = f"{'>=' if prediction.live else '<'} threshold {prediction.threshold:.4g}"
    score = f"{prediction.verdict}: score {prediction.score:.4f} {threshold}"
    _write(sheet, score, GAP, LINE, LIVE if prediction.live else ATTACK, 0.6)
    for column, (title, tiles) in enumerate(columns.items()):
        left = GAP + column * (TILE + GAP)
        _write(sheet, title, left, 2 * LINE)
        for row, (modality, tile) in enumerate(tiles.items()):
            top = 2 * LINE + GAP + row * row_height
            sheet[top : top + TILE, left : left + TILE] = tile
            caption = modality if title == "face" else describe_map(maps, title, modality)
            _write(sheet, caption, left, top + TILE + LINE - GAP, GREY)
    _draw_legend(sheet)
    return sheet


def describe_map(maps: ExplanationMaps, kind: str, modality: str) -> str:
    """Return the caption of a map: its range, or that Grad-CAM is empty."""
    if kind == OCCLUSION:
        values = maps.occlusion[modality]
        return f"{values.min():+.2g} to {values.max():+.2g}"
    return "" if maps.grad_cam and maps.grad_cam[modality].any() else "nothing for live"


def _resize(image: Image, side: int) -> Image:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR))


def _draw_legend(sheet: Image) -> None:
    """Explain the colours in the last line."""
    y = len(sheet) - GAP
    for x, colour, text in ((GAP, FOR_LIVE, "spoke for live"), (GAP + 150, FOR_ATTACK, "for attack")):
        cv2.rectangle(sheet, (x, y - 11), (x + 11, y), colour, -1)
        _write(sheet, text, x + 18, y)


def _write(
    sheet: Image, text: str, x: int, y: int, colour: tuple[int, int, int] = BLACK, scale: float = 0.5
) -> None:
    cv2.putText(sheet, text, (x, y), FONT, scale, colour, 1, cv2.LINE_AA)
