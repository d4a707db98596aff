"""Pictures of results: photos with box, score and verdict drawn, and explanation maps drawn over faces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from attrs import frozen

from fas_core.data.images import WRITABLE_SUFFIXES, Image, write_image
from fas_core.data.video_writer import VIDEO_SUFFIX
from fas_core.errors import DataError, format_list
from fas_core.names import escape_controls, shorten
from fas_core.runtime.explain import Explainer, ExplanationMaps, Map
from fas_core.runtime.inputs import Input, InputSample, VideoInput
from fas_core.runtime.prediction import FaceResult, Prediction
from fas_core.runtime.predictor import Face

MIN_SIDE = 320
"""Smaller photos are enlarged to this shorter side, so that the text fits."""
MIN_UNIT = 0.75
"""Size of the text, as a multiple of that in a photo of `MIN_SIDE`, in videos, which are not enlarged."""

LIVE, ATTACK, UNCERTAIN, NOT_SCORED = (0, 120, 60), (190, 30, 30), (150, 100, 0), (90, 90, 90)
COLOURS = {True: LIVE, False: ATTACK, None: UNCERTAIN}
"""By `Prediction.live`."""
WHITE = (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX

FOR_LIVE, FOR_ATTACK = (20, 120, 255), (255, 120, 0)
TEXT_LIVE, TEXT_ATTACK = (10, 95, 163), (178, 69, 3)
"""Blue and orange, which people with red-green colour blindness can tell apart. Darker for text."""

TEXT_COLOURS = {True: TEXT_LIVE, False: TEXT_ATTACK, None: (88, 94, 103)}
"""By `Prediction.live`."""

MAX_OPACITY = 0.65
"""Of the colour where the map is strongest; the rest is the face."""

TILE, GAP, LINE = 224, 10, 24
BLACK, GREY = (25, 28, 33), (88, 94, 103)

GRAD_CAM, OCCLUSION = "Grad-CAM", "occlusion"


def output_path(folder: Path, relative: str, suffix: str | None = None) -> Path:
    """Return the path of a copy, never outside `folder`; without `suffix` it keeps its own where possible.

    A name that gets too long by its suffix is shortened.
    """
    names = Path(relative.replace("\0", "\\0")).parts
    path = Path(*(name for name in names if name not in ("..", Path(relative).anchor)))
    if suffix is not None or path.suffix.lower() not in WRITABLE_SUFFIXES:
        path = path.with_suffix(suffix or ".png")
    return folder.joinpath(*map(shorten, path.parts[:-1]), shorten(path.name, path.suffix))


def video_copy_path(folder: Path, video: VideoInput) -> Path:
    """Return the path of the annotated copy of a video as a video."""
    return output_path(folder, f"{video.copy_path}{VIDEO_SUFFIX}", VIDEO_SUFFIX)


def check_output_paths(
    folder: Path, inputs: Iterable[Input], suffix: str | None = None, videos: bool = False
) -> None:
    """Raise DataError if two copies would have the same path, or one would replace a photo or video.

    `suffix` is that of explanations; None for annotated copies, those of videos being `videos` or frames.
    """
    copies: set[Path] = set()
    photos: set[Path] = set()
    verb = "annotated" if suffix is None else "explained"
    for item in inputs:
        if videos and isinstance(item, VideoInput):
            path = video_copy_path(folder, item).resolve()
        else:
            path = output_path(folder, item.copy_path, suffix).resolve()
        if path in copies:
            raise DataError(f"{folder}: two inputs would be {verb} as {path.name}: score them one by one")
        copies.add(path)
        images = item.images.values() if isinstance(item, InputSample) else [item.source]
        photos |= {image.resolve() for image in images if isinstance(image, Path)}
    if replaced := sorted(copies & photos):
        photo = format_list(replaced, 1)
        raise DataError(f"{folder}: {verb} copies would replace {photo}: choose another folder")


def annotate(photo: Image, results: Sequence[FaceResult], min_side: int = MIN_SIDE) -> Image:
    """Return a copy (H, W, 3), at least `min_side` wide and high, with a frame and label for each result."""
    scale = max(min_side / min(photo.shape[:2]), 1)
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
        return escape_controls(result.reason), NOT_SCORED
    track = "" if result.track is None else f" track {result.track}"
    return f"{prediction.verdict} {prediction.score:.3f}{track}", COLOURS[prediction.live]


def _draw(image: Image, box: tuple[int, int, int, int], text: str, colour: tuple[int, int, int]) -> None:
    """Draw a frame with a label at its upper left corner: above it where there is space, else inside."""
    unit = max(min(image.shape[:2]) / MIN_SIDE, MIN_UNIT)
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


@frozen(eq=False)
class ExplanationWriter:
    """Writes a PNG of each input's explanation below a folder."""

    explainer: Explainer
    folder: Path

    def write(self, relative: str, faces: Sequence[tuple[Face, Prediction]]) -> Path:
        """Write the picture of an input's faces, at least one, one below the other, and return its path.

        `relative` is the input's path below the folder. Raises FasError if the file cannot be written.
        """
        is_simulated = self.explainer.predictor.note is not None
        sheets = [
            draw_sheet(face, prediction, self.explainer.explain(face), is_simulated)
            for face, prediction in faces
        ]
        path = output_path(self.folder, relative, ".png")
        write_image(path, np.concatenate(sheets), durable=False)
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
    """Draw a map (S, S) over the face (S, S, 3) in grey: blue above 0, orange below; (side, side, 3).

    `scale` is the absolute value of the strongest colour; 0 where all values are.
    """
    grey = _resize(face, side).mean(axis=2, keepdims=True)
    large = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)[..., None]
    opacity = MAX_OPACITY * np.clip(abs(large) / (scale or 1), 0, 1)
    colour = np.where(large > 0, FOR_LIVE, FOR_ATTACK)
    return np.asarray((grey * (1 - opacity) + colour * opacity).round(), np.uint8)


def draw_sheet(
    face: Face, prediction: Prediction, maps: ExplanationMaps, is_simulated: bool = False
) -> Image:
    """(H, W, 3): the score of a face, and a row for each modality with the image and its maps.

    `is_simulated`: whether the model was trained on simulated faces, which the last line then says.
    """
    columns = {"face": {name: _resize(image, TILE) for name, image in face.items()}}
    columns |= draw_maps(maps, face, TILE)
    row_height = TILE + LINE + GAP
    width = GAP + len(columns) * (TILE + GAP)
    sheet = np.full((2 * LINE + GAP + len(face) * row_height + LINE, width, 3), 255, np.uint8)
    relation = ">=" if prediction.score >= prediction.threshold else "<"
    score = (
        f"{prediction.verdict}: score {prediction.score:.4f} {relation} threshold {prediction.threshold:.4g}"
    )
    _write(sheet, score, GAP, LINE, TEXT_COLOURS[prediction.live], 0.6)
    for column, (title, tiles) in enumerate(columns.items()):
        left = GAP + column * (TILE + GAP)
        _write(sheet, title, left, 2 * LINE)
        for row, (modality, tile) in enumerate(tiles.items()):
            top = 2 * LINE + GAP + row * row_height
            sheet[top : top + TILE, left : left + TILE] = tile
            caption = modality if title == "face" else describe_map(maps, title, modality)
            _write(sheet, caption, left, top + TILE + LINE - GAP, GREY)
    _draw_legend(sheet)
    if is_simulated:
        _write(sheet, "simulated training data", GAP + 262, len(sheet) - GAP, TEXT_ATTACK)
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
    cv2.putText(sheet, escape_controls(text), (x, y), FONT, scale, colour, 1, cv2.LINE_AA)
