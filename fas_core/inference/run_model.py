"""A run's model seen as an exported one is: a scorer with a card."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fas_core.contracts import Images
from fas_core.models.grad_cam import grad_cam
from fas_core.models.model import scorer
from fas_core.runs.run import Run


class RunModel:
    """Scores batches of face images by the best weights of a run, for `fas_core.runtime.Predictor`.

    Attributes:
        path: the run folder.
        card: what an export of the run would carry.

    Raises:
        ModelError: weights are missing or do not fit the recipe.
    """

    def __init__(self, run: Run) -> None:
        self.path = run.path
        self.card = run.card()
        self._model = run.model()
        self._score = scorer(self._model)

    def __call__(self, images: Images, presence: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """As `fas_core.contracts.Scorer`."""
        return self._score(images, presence)

    def grad_cam(
        self, images: Images, presence: NDArray[np.bool_] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """`{modality: (B, h, w)}`, see `fas_core.models.grad_cam`; takes what calling does."""
        tensors = {name: torch.from_numpy(pixels) for name, pixels in images.items()}
        given = None if presence is None else torch.from_numpy(presence)
        return {name: found.double().numpy() for name, found in grad_cam(self._model, tensors, given).items()}
