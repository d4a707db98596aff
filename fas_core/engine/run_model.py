"""A run's model seen as an exported one is: a scorer with a card."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fas_core.contracts import Images
from fas_core.engine.run import Run
from fas_core.model import scorer


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
        self._score = scorer(run.model())

    def __call__(self, images: Images, presence: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """As `fas_core.contracts.Scorer`."""
        return self._score(images, presence)
