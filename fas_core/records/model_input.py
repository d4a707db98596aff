"""What a model takes as input: one record that card, run, inference and runtime share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from attrs import field, frozen
from attrs import validators as v

MAX_SIDE = 8192
"""Of a face image: its pixels are within the limit of all images."""

SIDE = v.and_(v.ge(1), v.le(MAX_SIDE))


@frozen
class Resize:
    """How evaluation fits a face image to the model: crop the central square, then resize it.

    Args:
        crop: side of the square as a fraction of the shorter side. The published rule is 0.875: shorter side
            to 256, central 224.
    """

    crop: float = field(default=0.875, validator=[v.gt(0), v.le(1)])


Shape = Literal["box", "square"]
Border = Literal["inside", "black", "reflect"]
Interpolation = Literal["area", "linear"]


@frozen
class ScaledCrop:
    """How one input of a model is cropped from a photo: a region around the box of the detected face.

    The region has the box's centre, and is stretched to the model's face size. With `linear` interpolation it
    is the crop of Silent-Face-Anti-Spoofing (github.com/minivision-ai), at scales 2.7 and 4.

    Args:
        scale: sides of the region as a multiple of the box's sides.
        photo: name of the photo, of which several inputs may be crops; None: that of the input itself.
        shape: `box`, with the aspect ratio of the box; `square`, whose side is `scale` times its longer side.
        border: of a region that reaches over the photo's edge. `inside`: the scale is limited so that the
            region fits the photo, and it is moved inside; `black` or `reflect`: pixels outside are black, or
            mirrored at the edge.
        interpolation: `area` averages to shrink, and is bilinear to grow; `linear` is bilinear for both.
    """

    scale: float = field(validator=[v.ge(1), v.le(16)])
    photo: str | None = None
    shape: Shape = field(default="box", validator=v.in_(get_args(Shape)))
    border: Border = field(default="inside", validator=v.in_(get_args(Border)))
    interpolation: Interpolation = field(default="area", validator=v.in_(get_args(Interpolation)))


def check_crops(owner: Any, attribute: Any, crops: Mapping[str, ScaledCrop]) -> None:
    """Check that it has all of the modalities, or none; others are ignored."""
    missing = [name for name in owner.modalities if name not in crops]
    if crops and missing:
        raise ValueError(
            f"'{attribute.name}' must have one for each modality, or none: {missing[0]!r} lacks it"
        )


@frozen
class ModelInput:
    """The input of a model.

    Args:
        modalities: names of its images, in order; each is uint8 (B, F, F, 3), RGB.
        face_size: F, side of a face image in pixels.
        network_size: side of the networks' input in pixels: F, or less for a model that scores patches.
        resize: how face images of other sizes are brought to F x F.
        partial: whether the model can score faces for which some modalities are missing.
        crops: for each modality how it is cropped from a photo, to F x F at once; empty: face images come
            from the data set, or are cropped as `fas_core.data.faces.CropSettings` say.
    """

    modalities: tuple[str, ...]
    face_size: int
    network_size: int = field()
    resize: Resize = field(factory=Resize)
    partial: bool = False
    crops: Mapping[str, ScaledCrop] = field(factory=dict, validator=check_crops)

    @network_size.default
    def _whole_face(self) -> int:
        return self.face_size

    @property
    def photos(self) -> tuple[str, ...]:
        """Names of the images that the modalities are made from, in order; without crops the modalities."""
        return tuple(dict.fromkeys(self.photo(name) for name in self.modalities))

    def photo(self, modality: str) -> str:
        """Return the name of the image that a modality is made from."""
        crop = self.crops.get(modality)
        return modality if crop is None or crop.photo is None else crop.photo
