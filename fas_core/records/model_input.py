"""How images become what a model takes: one record that card, run, inference and runtime hold."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v


@frozen
class Resize:
    """Evaluation rule from a face image to the model's input: a central square, then a resize.

    Args:
        crop: side of the square as a fraction of the shorter side. 0.875 is the published rule
            (shorter side to 256, central 224).
    """

    crop: float = field(default=0.875, validator=[v.gt(0), v.le(1)])


@frozen
class ModelInput:
    """What a model takes.

    Args:
        modalities: names of the images of a face, in order, each uint8 (B, F, F, 3) RGB.
        face_size: F, side in pixels of the face images that the model is called with.
        network_size: side in pixels of its networks' input: F, or less where patches of a face are scored.
        resize: how a face image of any size is brought to F x F.
        partial: whether the model can score faces that lack some of the modalities.
    """

    modalities: tuple[str, ...]
    face_size: int
    network_size: int = field()
    resize: Resize = field(factory=Resize)
    partial: bool = False

    @network_size.default
    def _whole_face(self) -> int:
        return self.face_size
