"""A run or an exported model, ready to score; torch is imported only where a run needs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from fas_core.config.recipe import DatasetChoice, MetricChoice
from fas_core.config.structure import structure
from fas_core.contracts import Images, Scorer
from fas_core.descriptors import Component
from fas_core.errors import DataError, FasError
from fas_core.records.model_input import ModelInput
from fas_core.registry import Registry
from fas_core.runs.groups import FoldRuns, ProtocolRuns, open_path
from fas_core.runs.run import Run
from fas_core.runtime.model_file import ModelFile
from fas_core.scores.calibration import ScoreReference
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold, parse_policy
from fas_core.scores.videos import Vote, by_video


@frozen(eq=False)
class LoadedModel:
    """A model ready to score, and what is known of it.

    Args:
        path: run folder or model file.
        data: the data set that it was trained on.
        metrics: those of its recipe.
        own_threshold: the threshold that it brings; None where it has none.
        why: why it has none.
        fitting_scores: what another policy can be fitted on; None for an exported model.
        fitted_on: what those scores are: `dev`, or the recipe's folds.
        fingerprints: `{split: fingerprint}` of the samples that it was trained and evaluated on.
        shipped_threshold: the threshold before any calibration.
        reference: summary of the scores that the threshold was fitted on; None where it is not known.
    """

    path: Path
    scorer: Scorer
    input: ModelInput
    data: DatasetChoice
    metrics: tuple[MetricChoice, ...]
    own_threshold: Threshold | None
    why: str = ""
    fitting_scores: ScoreTable | None = None
    fitted_on: str = "dev"
    fingerprints: Mapping[str, str] = field(factory=dict)
    shipped_threshold: Threshold | None = None
    reference: ScoreReference | None = None

    def threshold(self, policy: str | None, evaluated: ScoreTable | None = None) -> Threshold | None:
        """Return its own threshold, or one fitted by `policy` (an `oracle:` one on the `evaluated` scores).

        Raises:
            DataError: the policy is fitted on scores, and there are none.
        """
        if policy is None or (self.own_threshold is not None and policy == self.own_threshold.policy):
            return self.own_threshold
        return fit_threshold(policy, self.fitting_scores, self.fitted_on, evaluated=evaluated)

    def of_videos(self, vote: Vote) -> LoadedModel:
        """Return the model with its fitting scores aggregated to videos, and a threshold fitted on those.

        A threshold fitted on frames is none for videos. Where there are no fitting scores, or none of videos,
        there is no threshold and `why` says so; a threshold that was given as a number stays.
        """
        videos = None
        why = (
            f"{self.path}: its own is fitted on frames, which is none for videos: evaluate the run folder, "
            f"or give --threshold fixed:VALUE"
        )
        if self.fitting_scores is not None:
            try:
                videos = by_video(self.fitting_scores, vote, name=f"{self.path}: dev scores")
            except DataError as error:
                why = error.message
        own = self.own_threshold
        if own is not None and own.calibrated:
            why = f"{self.path}: its own is calibrated on photos, which is none for videos: give --threshold"
            return evolve(self, fitting_scores=videos, own_threshold=None, why=why)
        if own is None or not parse_policy(own.policy).fitted:
            return evolve(self, fitting_scores=videos)
        if videos is None:
            return evolve(self, fitting_scores=None, own_threshold=None, why=why)
        threshold = fit_threshold(own.policy, videos, own.source)
        return evolve(self, fitting_scores=videos, own_threshold=threshold)


class RunModel:
    """A run's model seen as an exported one is: a `Scorer`, by the best weights, with the run's card.

    Raises:
        ModelError: weights are missing or do not fit the recipe.
    """

    def __init__(self, run: Run) -> None:
        from fas_core.models.model import scorer

        self.path, self.card, self._model = run.path, run.card(), run.model()
        self._score = scorer(self._model)

    def __call__(self, images: Images, presence: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        return self._score(images, presence)

    def grad_cam(
        self, images: Images, presence: NDArray[np.bool_] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Return `{modality: (B, h, w)}`, see `fas_core.models.grad_cam`."""
        import torch

        from fas_core.models.grad_cam import grad_cam

        tensors = {name: torch.from_numpy(pixels) for name, pixels in images.items()}
        maps = grad_cam(self._model, tensors, None if presence is None else torch.from_numpy(presence))
        return {name: heat.double().numpy() for name, heat in maps.items()}


def load_model(path: Path, registry: Registry) -> LoadedModel:
    """Load a run folder (of folds: the final run) or an exported model.

    Raises:
        FasError: there is no such run or model, it is a group of sub-protocols, or it cannot be read.
    """
    opened = open_path(path, registry)
    if isinstance(opened, FoldRuns):
        opened = opened.open_final()
    if isinstance(opened, ProtocolRuns):
        raise FasError(f"{path}: holds a run for each of {', '.join(opened.members)}: give one of them")
    return load_run(opened) if isinstance(opened, Run) else _load_file(opened, registry)


def load_run(run: Run) -> LoadedModel:
    """Load a run's model by its best weights.

    Raises:
        ModelError: weights are missing or do not fit the recipe.
    """
    from fas_core.models.model import scorer

    threshold, why, calibration = None, "", run.calibration()
    try:
        threshold = run.threshold()
    except FasError as error:
        why = error.message
    return LoadedModel(
        path=run.path,
        scorer=scorer(run.model()),
        input=run.recipe.input,
        data=run.recipe.data,
        metrics=run.recipe.metrics,
        own_threshold=threshold,
        why=why,
        fitting_scores=run.fitting_scores(),
        fitted_on=run.fitted_on,
        fingerprints=run.results().get("data", {}),
        shipped_threshold=threshold if calibration is None else calibration.shipped,
        reference=run.reference(),
    )


def _load_file(model: ModelFile, registry: Registry) -> LoadedModel:
    card, path = model.card, model.path
    registry, absent = registry.requiring(card.plugins), (Component,)
    metrics = card.recipe["metrics"]
    return LoadedModel(
        path=path,
        scorer=model,
        input=card.input,
        data=structure(card.recipe["data"], DatasetChoice, registry, f"{path}: data", absent=absent),
        metrics=structure(metrics, tuple[MetricChoice, ...], registry, f"{path}: metrics", absent=absent),
        own_threshold=card.threshold,
        why=f"{path}: exported without one",
        fingerprints=card.data,
        shipped_threshold=card.shipped_threshold,
        reference=card.reference,
    )
