"""A run's trained model behind the interface of an exported one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fas_core.contracts import Images
from fas_core.runs.card import build_card
from fas_core.runs.run import Run


class RunModel:
    """A run's model seen as an exported one is: a `Scorer`, by the best weights, with the run's card.

    Raises:
        ModelError: weights are missing or do not fit the recipe.
    """

    device = "cpu"

    def __init__(self, run: Run) -> None:
        from fas_core.models.folding import folded_scorer

        self.path, self.card, self._model = run.path, build_card(run), run.model()
        self._score = folded_scorer(self._model)

    def __call__(self, images: Images, presence: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        return self._score(images, presence)

    def score_with_novelty(
        self, images: Images, presence: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the score and the distance to the training data of every face, (B,) each."""
        from fas_core.models.model import compute_outputs

        outputs = compute_outputs(self._model, images, presence)
        assert outputs.novelty is not None  # callers ask where the run has a limit, which is fitted with it
        return outputs.score.double().numpy(), outputs.novelty.double().numpy()

    def grad_cam(
        self, images: Images, presence: NDArray[np.bool_] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Return `{modality: (B, h, w)}`, see `fas_core.models.grad_cam`."""
        import torch

        from fas_core.models.grad_cam import grad_cam

        tensors = {name: torch.from_numpy(pixels) for name, pixels in images.items()}
        maps = grad_cam(self._model, tensors, None if presence is None else torch.from_numpy(presence))
        return {name: heat.double().numpy() for name, heat in maps.items()}
