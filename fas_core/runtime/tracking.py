"""Faces of a video followed from frame to frame, so that not every frame has to be searched for faces.

Corners in a face ("Good Features to Track", Shi and Tomasi, CVPR 1994) are followed by optical flow to the
next frame and back; those that do not come back to where they started are dropped ("Forward-Backward Error:
Automatic Detection of Tracking Failures", Kalal, Mikolajczyk and Matas, ICPR 2010). The others move the box.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from attrs import define, evolve, frozen
from numpy.typing import NDArray

from fas_core.data.images import Box, Image, box_overlaps, clip_box
from fas_core.records.detected_face import DetectedFace

Points = NDArray[np.float32]

SIDE = 240
"""Frames are followed on copies that are halved while their shorter side has at least so many pixels."""
MAX_CORNERS, MIN_CORNERS = 60, 8
"""Corners of a face that are followed, and that must arrive."""
INSET = 0.15
"""Corners at the edges of a box, as a fraction of its sides, are background."""
MAX_ERROR = 1.0
"""Pixels of the copy between a corner and where it comes back to."""
MAX_DEVIATION = 2.0
"""Pixels of the copy between where a corner of the face is and where the motion of all of them takes it."""
PATCH = 24
"""Side of the grey picture of a face by which it is recognised."""
MIN_CORRELATION = 0.5
"""Of the picture of a face with that of when it was detected: less is another face, or none."""
MIN_OVERLAP = 0.3
"""Intersection over union of a detected box with that of a track."""
PATIENCE = 5
"""Frames that are searched for a face after it was lost; then its track ends."""


@frozen(eq=False)
class _View:
    """A grey copy (H / factor, W / factor) of a frame; `factor` is a power of two."""

    grey: Image
    factor: int

    @classmethod
    def of(cls, image: Image) -> _View:
        grey: Image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        factor = 1
        while min(grey.shape) >= 2 * SIDE:  # halving twice is ten times faster than dividing by four
            height, width = (side // 2 for side in grey.shape)
            even = grey[: 2 * height, : 2 * width]
            grey = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
            factor *= 2
        return cls(grey, factor)

    def fits(self, other: _View) -> bool:
        """Whether both are of frames of one size, but for odd pixels."""
        return (self.grey.shape, self.factor) == (other.grey.shape, other.factor)

    def shrink(self, box: Box) -> Box:
        """Return a box of the frame in pixels of the copy."""
        x, y, w, h = (value / self.factor for value in box)
        return x, y, w, h

    def cut(self, box: Box) -> Image:
        """Return the picture of a face, (PATCH, PATCH)."""
        left, top, right, bottom = clip_box(self.shrink(box), self.grey.shape)
        return np.asarray(cv2.resize(self.grey[top:bottom, left:right], (PATCH, PATCH)))


@define
class _Track:
    """A face that is followed; `missing` frames have gone by since it was last seen."""

    number: int
    face: DetectedFace
    picture: Image
    missing: int = 0

    def resembles(self, view: _View, box: Box) -> bool:
        return (
            float(cv2.matchTemplate(view.cut(box), self.picture, cv2.TM_CCOEFF_NORMED)[0, 0])
            >= MIN_CORRELATION
        )


class FaceTracker:
    """Numbers the faces of one video, whose frames are given in order, and follows them.

    A face keeps its number while it overlaps and resembles itself from one frame to the next, so that after a
    cut, or where another face takes its place, there is a new number. A face that is lost is looked for by
    detection in the same frame and in the next `PATIENCE` frames; so are faces where there is none to follow.

    Args:
        detect: finds the faces of a frame (H, W, 3) RGB.
    """

    def __init__(self, detect: Callable[[Image], Sequence[DetectedFace]]) -> None:
        self._detect = detect
        self._tracks: list[_Track] = []
        self._previous: _View | None = None
        self._count = 0

    def follow(self, image: Image, detected: Sequence[DetectedFace] | None = None) -> dict[int, DetectedFace]:
        """Return the faces of the next frame by their number from 1.

        Args:
            image: (H, W, 3) RGB; after a change of the size all faces are detected anew.
            detected: the frame's faces, each of which is returned as it is; None to follow those of the frame
                before, or to detect where one of them is lost or there is none.
        """
        view = _View.of(image)
        if detected is None:
            moved = [self._move(track, view) for track in self._tracks]
            for track, face in zip(self._tracks, moved, strict=True):
                track.face = face or track.face
            if None in moved or not moved:
                detected = self._detect(image)
        if detected is not None:
            self._assign(view, detected)
        self._previous = view
        return {track.number: track.face for track in self._tracks if not track.missing}

    def _move(self, track: _Track, view: _View) -> DetectedFace | None:
        """Return a face where it is in the next frame; None where it is lost."""
        if track.missing or self._previous is None or not self._previous.fits(view):
            return None
        matrix = _estimate_motion(self._previous, view, track.face.box)
        if matrix is None:
            return None
        face = _transform(track.face, matrix)
        is_inside = box_overlaps(view.shrink(face.box), view.grey.shape)
        return face if is_inside and track.resembles(view, face.box) else None

    def _assign(self, view: _View, detected: Sequence[DetectedFace]) -> None:
        """Give faces to tracks, those that overlap most first; others begin tracks, left to right."""
        overlaps = [
            (overlap, track, face)
            for track in self._tracks
            for face in detected
            if (overlap := measure_overlap(track.face.box, face.box)) >= MIN_OVERLAP
        ]
        assigned: dict[int, _Track] = {}
        for _, track, face in sorted(overlaps, key=lambda item: -item[0]):
            is_free = id(face) not in assigned and all(track is not other for other in assigned.values())
            if is_free and track.resembles(view, face.box):
                assigned[id(face)] = track
        for face in sorted(detected, key=lambda face: face.box):
            if id(face) not in assigned:
                assigned[id(face)] = self._begin(face, view)
        seen = [assigned[id(face)] for face in detected]
        for track, face in zip(seen, detected, strict=True):
            track.face, track.picture, track.missing = face, view.cut(face.box), 0
        lost = [track for track in self._tracks if all(track is not other for other in seen)]
        for track in lost:
            track.missing += 1
        self._tracks = [*seen, *(track for track in lost if track.missing <= PATIENCE)]

    def _begin(self, face: DetectedFace, view: _View) -> _Track:
        self._count += 1
        return _Track(self._count, face, view.cut(face.box))


def measure_overlap(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / (a[2] * a[3] + b[2] * b[3] - common) if common else 0.0


def _estimate_motion(before: _View, after: _View, box: Box) -> NDArray[Any] | None:
    """Return the similarity transform (2, 3) of pixels of the frame that moves a face; None if it is lost."""
    corners = _find_corners(before, box)
    if len(corners) < MIN_CORNERS:
        return None
    moved, arrived = _flow(before, after, corners)
    back, returned = _flow(after, before, moved)
    good = arrived & returned & (np.linalg.norm(back - corners, axis=1) <= MAX_ERROR)
    if good.sum() < max(MIN_CORNERS, len(corners) / 2):
        return None
    # Half a pixel: from the centres of pixels to coordinates, in which 0 is the edge of the first.
    scale = before.factor
    matrix: Any
    matrix, _ = cv2.estimateAffinePartial2D(
        (corners[good] + 0.5) * scale,
        (moved[good] + 0.5) * scale,
        ransacReprojThreshold=MAX_DEVIATION * scale,
    )
    return None if matrix is None else np.asarray(matrix)


def _find_corners(view: _View, box: Box) -> Points:
    """(N, 2) corners within a box of the frame, in pixels of the copy."""
    x, y, w, h = view.shrink(box)
    inner = (x + INSET * w, y + INSET * h, (1 - 2 * INSET) * w, (1 - 2 * INSET) * h)
    left, top, right, bottom = clip_box(inner, view.grey.shape)
    corners: Any = cv2.goodFeaturesToTrack(view.grey[top:bottom, left:right], MAX_CORNERS, 0.01, 2)
    if corners is None:
        return np.zeros((0, 2), np.float32)
    return np.asarray(np.reshape(corners, (-1, 2)) + np.array([left, top]), np.float32)


def _flow(before: _View, after: _View, points: Points) -> tuple[Points, NDArray[np.bool_]]:
    """((N, 2) where points of one copy are in another, (N,) whether they were found)."""
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before.grey, after.grey, points, np.empty_like(points), winSize=(15, 15), maxLevel=3
    )
    return np.asarray(moved), np.asarray(found[:, 0] == 1)


def _transform(face: DetectedFace, matrix: NDArray[Any]) -> DetectedFace:
    """Move a face by a similarity transform (2, 3); its box stays upright."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    x, y, w, h = face.box
    centre = matrix @ (x + w / 2, y + h / 2, 1)
    box = (float(centre[0] - scale * w / 2), float(centre[1] - scale * h / 2), scale * w, scale * h)
    landmarks = None
    if face.landmarks is not None:
        moved = (matrix @ (*point, 1) for point in face.landmarks)
        landmarks = tuple((float(point[0]), float(point[1])) for point in moved)
    return evolve(face, box=box, landmarks=landmarks)
