"""Maps drawn over faces, and the sheet that shows them beside the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from attrs import frozen

from fas_core.data.images import Image
from fas_core.runtime.annotate import FONT
from fas_core.runtime.occlusion import Map
from fas_core.runtime.predictor import Face, Prediction

FOR_LIVE, FOR_ATTACK = (20, 120, 255), (255, 120, 0)
LIVE, ATTACK = (10, 95, 163), (178, 69, 3)
"""Blue and orange: told apart by those who see red and green alike. Darker where they are written."""

FULL = 0.65
"""How much of its colour the strongest place gets; the rest is the face."""

TILE, GAP, LINE = 224, 10, 24
INK, QUIET = (25, 28, 33), (88, 94, 103)

GRAD_CAM, OCCLUSION = "Grad-CAM", "occlusion"


@frozen(eq=False)
class Maps:
    """What a model looks at in one face.

    Args:
        occlusion: `{modality: (S, S)}` drop of the score; positive: the place spoke for live.
        grad_cam: `{modality: (S, S)}`, at least 0: evidence for live; None where there are no gradients.
    """

    occlusion: Mapping[str, Map]
    grad_cam: Mapping[str, Map] | None = None

    def drawn(self, face: Face, side: int) -> dict[str, dict[str, Image]]:
        """`{name of the map: {modality: (side, side, 3)}}`, each over the face.

        Drops of the score have one scale for all modalities; Grad-CAM has a unit of its own in each.
        """
        found = {}
        if self.grad_cam is not None:
            found[GRAD_CAM] = {
                name: heat(face[name], values, float(values.max()), side)
                for name, values in self.grad_cam.items()
            }
        found[OCCLUSION] = {
            name: heat(face[name], values, self.end, side) for name, values in self.occlusion.items()
        }
        return found

    @property
    def end(self) -> float:
        """The largest drop or rise of the score, of all modalities."""
        return max(float(abs(values).max()) for values in self.occlusion.values())

    def said(self, kind: str, modality: str) -> str:
        """What stands below a map."""
        if kind == OCCLUSION:
            values = self.occlusion[modality]
            return f"{values.min():+.2g} to {values.max():+.2g}"
        assert self.grad_cam is not None
        return "" if self.grad_cam[modality].any() else "nothing for live"


@frozen(eq=False)
class Judged:
    """A prepared face, what was said of it, and why."""

    face: Face
    prediction: Prediction
    maps: Maps


def heat(face: Image, values: Map, end: float, side: int) -> Image:
    """A map over the face, which is in grey: blue above 0, orange below, stronger farther from it.

    Args:
        face: (S, S, 3).
        values: (S, S).
        end: where the colour is strongest; 0 where all values are.
        side: of the result.
    """
    grey = cv2.resize(face, (side, side), interpolation=cv2.INTER_LINEAR).mean(axis=2, keepdims=True)
    large = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)[..., None]
    strength = FULL * np.clip(abs(large) / (end or 1), 0, 1)
    colour = np.where(large > 0, FOR_LIVE, FOR_ATTACK)
    return np.asarray((grey * (1 - strength) + colour * strength).round(), np.uint8)


def picture(faces: Sequence[Judged]) -> Image:
    """(H, W, 3): of each face the score, and a row for each modality: the face and its maps."""
    return np.concatenate([_block(judged) for judged in faces])


def _block(judged: Judged) -> Image:
    found = judged.prediction
    columns = {"face": {name: _tile(image) for name, image in judged.face.items()}}
    columns |= judged.maps.drawn(judged.face, TILE)
    step = TILE + LINE + GAP
    width = GAP + len(columns) * (TILE + GAP)
    sheet = np.full((2 * LINE + GAP + len(judged.face) * step + LINE, width, 3), 255, np.uint8)
    relation = ">=" if found.live else "<"
    score = f"{found.verdict}: score {found.score:.4f} {relation} threshold {found.threshold:.4g}"
    _write(sheet, score, GAP, LINE, LIVE if found.live else ATTACK, 0.6)
    for column, (title, tiles) in enumerate(columns.items()):
        left = GAP + column * (TILE + GAP)
        _write(sheet, title, left, 2 * LINE)
        for row, (modality, tile) in enumerate(tiles.items()):
            top = 2 * LINE + GAP + row * step
            sheet[top : top + TILE, left : left + TILE] = tile
            below = modality if title == "face" else judged.maps.said(title, modality)
            _write(sheet, below, left, top + TILE + LINE - GAP, QUIET)
    _legend(sheet)
    return sheet


def _tile(image: Image) -> Image:
    return np.asarray(cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_LINEAR))


def _legend(sheet: Image) -> None:
    """In the last line: what the colours mean."""
    y = len(sheet) - GAP
    for x, colour, text in ((GAP, FOR_LIVE, "spoke for live"), (GAP + 150, FOR_ATTACK, "for attack")):
        cv2.rectangle(sheet, (x, y - 11), (x + 11, y), colour, -1)
        _write(sheet, text, x + 18, y)


def _write(
    sheet: Image, text: str, x: int, y: int, colour: tuple[int, int, int] = INK, scale: float = 0.5
) -> None:
    cv2.putText(sheet, text, (x, y), FONT, scale, colour, 1, cv2.LINE_AA)
