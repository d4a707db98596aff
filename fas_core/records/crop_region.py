"""Which part of a face is cropped in training."""

from __future__ import annotations

from attrs import frozen

ROUNDING = 1e-9


@frozen
class CropRegion:
    """Part of a face, as fractions of its width and height, so that it fits images of any size.

    Args:
        x: left edge, in [0, 1).
        y: upper edge, in [0, 1).
        w: width, above 0; `x + w` is at most 1.
        h: height, above 0; `y + h` is at most 1.

    Raises:
        ValueError: it reaches out of the face, or is empty.
    """

    x: float
    y: float
    w: float
    h: float

    def __attrs_post_init__(self) -> None:
        for start, length in ((self.x, self.w), (self.y, self.h)):
            if not (0 <= start < 1 and length > 0 and start + length <= 1 + ROUNDING):
                raise ValueError(f"{self} is no part of a face, which is 0 to 1 wide and high")

    def scale(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Return x, y, w, h in pixels of an image of `height` x `width` pixels."""
        return self.x * width, self.y * height, self.w * width, self.h * height
