"""A face that a detector found."""

from __future__ import annotations

from attrs import frozen

Landmarks = tuple[tuple[float, float], ...]
"""x, y in pixels of five points: eyes, tip of the nose, corners of the mouth; left in the image first."""


@frozen
class DetectedFace:
    """A face in a photo.

    Args:
        box: x, y, w, h in pixels; may reach over the photo's edge.
        landmarks: five points; None where the detector finds boxes only.
        confidence: the detector's score, in [0, 1]; None where it has none.
    """

    box: tuple[float, float, float, float]
    landmarks: Landmarks | None = None
    confidence: float | None = None
