"""What a model looks at: Grad-CAM where it can be had, an occlusion map everywhere, as pictures.

Grad-CAM takes gradients, hence torch and a run: whoever has them hands over a function. An exported file
has none, and its occlusion map takes nothing but its scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from fas_core.contracts import Images
from fas_core.data.images import write_image
from fas_core.runtime.annotate import target
from fas_core.runtime.heat import Judged, Maps, picture
from fas_core.runtime.model_file import Presence
from fas_core.runtime.occlusion import occlusion
from fas_core.runtime.predictor import Face, Prediction, Predictor

GradCam: TypeAlias = Callable[[Images, Presence], Mapping[str, NDArray[np.float64]]]
"""A batch, as a scorer takes it -> `{modality: (B, h, w)}`, at least 0."""

SQUARE = 0.25
"""Of the face's side: the square that covers, which moves by half of itself."""


@frozen(eq=False)
class Explainer:
    """Looks into one model. Threads may share it.

    Args:
        predictor: the model.
        grad_cam: None where there are no gradients.
        square: side of the covering square as a fraction of the face's, in (0, 1].
    """

    predictor: Predictor
    grad_cam: GradCam | None = None
    square: float = SQUARE

    def maps(self, face: Face) -> Maps:
        """Of a prepared face, for all its modalities, at the model's size.

        Raises:
            ModelError: there are gradients, but no Grad-CAM of this model.
        """
        images, presence = self.predictor.batched([face])
        side = self.predictor.card.input.face_size
        square = max(round(self.square * side), 1)
        drops = occlusion(self.predictor.model, images, presence, square=square, stride=max(square // 2, 1))
        if self.grad_cam is None:
            return Maps(drops)
        found = self.grad_cam(images, presence)
        return Maps(drops, {name: _enlarged(found[name][0], side) for name in drops})


def _enlarged(small: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """(h, w) -> (side, side), as if the network's last map lay evenly over what it sees."""
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.float64)


@frozen(eq=False)
class Pictures:
    """Writes one PNG for each shot below a folder.

    Args:
        explainer: the model.
        folder: where they go.
    """

    explainer: Explainer
    folder: Path

    def write(self, place: str, faces: Sequence[tuple[Face, Prediction]]) -> Path:
        """The picture of a shot's faces, one below the other.

        Args:
            place: the shot's.
            faces: at least one, with what was said of it.

        Returns:
            The file.

        Raises:
            FasError: it cannot be written.
        """
        judged = [Judged(face, found, self.explainer.maps(face)) for face, found in faces]
        file = target(self.folder, place, ".png")
        write_image(file, picture(judged))
        return file
