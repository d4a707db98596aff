"""What a model takes as input: one record that card, run, inference and runtime share."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v


@frozen
class Resize:
    """How evaluation fits a face image to the model: crop the central square, then resize it.

    `crop` is the square's side as a fraction of the shorter side. The published rule is 0.875: shorter side
    to 256, central 224.
    """

    crop: float = field(default=0.875, validator=[v.gt(0), v.le(1)])


@frozen
class ModelInput:
    """The input of a model.

    Args:
        modalities: names of its images, in order; each is uint8 (B, F, F, 3), RGB.
        face_size: F, side of a face image in pixels.
        network_size: side of the networks' input in pixels: F, or less for a model that scores patches.
        resize: how face images of other sizes are brought to F x F.
        partial: whether the model can score faces for which some modalities are missing.
    """

    modalities: tuple[str, ...]
    face_size: int
    network_size: int = field()
    resize: Resize = field(factory=Resize)
    partial: bool = False

    @network_size.default
    def _whole_face(self) -> int:
        return self.face_size
