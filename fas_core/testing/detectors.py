"""The contract check of face detectors: see `fas_core.testing.checks`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fas_core.data.detectors import DetectorChoice
from fas_core.records.detected_face import DetectedFace
from fas_core.remembered_kinds import Detector
from fas_core.testing.rules import rule
from fas_core.testing.support import SEED, explain, load_component

Image = NDArray[np.uint8]

SHAPES = ((480, 640), (360, 240), (37, 53))
"""Heights and widths of the images that are searched."""


@rule("call")
def check_detector(
    component: str | Detector, options: Any = None, *, model: Path | None = None, photo: Image | None = None
) -> None:
    """Check a face detector on images of several sizes, without a face unless one is given.

    It gives records of faces, the same each time and in several threads, and changes no pixel.

    Args:
        model: its model file; None for the one that was fetched, or for a detector that needs none.
        photo: uint8 (H, W, 3) RGB with a face, which must be found.
    """
    detector, target, options = load_component(Detector, component, options)
    name, file = detector.name, None if model is None else str(model)
    with explain(name, "target(options, model=model)"):
        search = target(options, model=DetectorChoice.of(detector, file).model)
    assert callable(search), f"{name}: target gave {search!r}, which is not callable"

    def find(image: Image) -> list[DetectedFace]:
        pixels = image.copy()
        with explain(name, f"searching an image of {image.shape}"):
            faces = list(search(pixels))
        with rule("searches alike"):
            assert np.array_equal(pixels, image), f"{name}: changed the pixels that it searched"
        return faces

    images = [*_make_images(), *([] if photo is None else [photo])]
    for image in images:
        _check_faces(detector, find(image))
    with rule("faces"):
        assert photo is None or find(photo), f"{name}: found no face in the photo"
    with rule("threads"), ThreadPoolExecutor(4) as pool:
        first, again = list(pool.map(find, images)), list(pool.map(find, images))
    with rule("searches alike"):
        assert first == again, f"{name}: found other faces when it searched the same images again"


def _make_images() -> list[Image]:
    rng = np.random.default_rng(SEED)
    noise = [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in SHAPES]
    return [*noise, np.zeros((*SHAPES[0], 3), np.uint8)]


@rule("faces")
def _check_faces(detector: Detector, faces: list[DetectedFace]) -> None:
    name = detector.name
    for face in faces:
        assert isinstance(face, DetectedFace), f"{name}: gave {face!r}, no fas_core.DetectedFace"
        usable = len(face.box) == 4 and all(map(isfinite, face.box)) and min(face.box[2:]) > 0
        assert usable, f"{name}: box {face.box!r}: must be finite x, y, w, h with an area"
        if detector.landmarks:
            count = len(face.landmarks or ())
            assert count == 5, f"{name}: {count} landmarks, and its descriptor says that it finds five"
