"""A run or an exported model, ready to score; torch is imported only where a run needs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from fas_core.component import Component
from fas_core.config.components import DatasetChoice, MetricChoice
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.contracts import Scorer
from fas_core.data.fetched_models import is_public_model
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.records.model_input import ModelInput
from fas_core.registry import Registry
from fas_core.runs.card import build_reference, describe_threshold
from fas_core.runs.files import is_run_folder
from fas_core.runs.groups import FoldRuns, open_path
from fas_core.runs.run import Run
from fas_core.runs.run_sets import RunSet
from fas_core.runtime.external_model import ExternalModel
from fas_core.runtime.face_selection import FaceSelector, select_faces, stated_crops
from fas_core.runtime.model_file import ModelFile
from fas_core.runtime.public_model import PublicModel
from fas_core.scores.calibration import ScoreReference
from fas_core.scores.rejection import is_fitted
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, choose_threshold, fit_threshold, parse_policy
from fas_core.scores.videos import Vote, by_video


@frozen(eq=False)
class LoadedModel:
    """A model ready to score, and what is known of it.

    Args:
        path: run folder or model file.
        data: the data set that it was trained on; None for a model of others.
        metrics: those of its recipe.
        own_threshold: the threshold that it brings; None where it has none.
        why: why it has none.
        fitting_scores: what another policy can be fitted on; None for an exported model.
        fitted_on: what those scores are: `dev`, or the recipe's folds.
        fingerprints: `{split: fingerprint}` of the samples that it was trained and evaluated on.
        faces: crops photos to the face for a model that states how; None: images are taken as they are.
        note: what a reader of its figures must know.
        shipped_threshold: the threshold before any calibration.
        reference: summary of the scores that the threshold was fitted on; None where it is not known.
        threshold_note: whether the threshold of training is recommended, and why; empty where not known.
        device: where it runs.
    """

    path: Path
    scorer: Scorer
    input: ModelInput
    data: DatasetChoice | None
    metrics: tuple[MetricChoice, ...]
    own_threshold: Threshold | None
    why: str = ""
    fitting_scores: ScoreTable | None = None
    fitted_on: str = "dev"
    fingerprints: Mapping[str, str] = field(factory=dict)
    faces: FaceSelector | None = None
    note: str = ""
    shipped_threshold: Threshold | None = None
    reference: ScoreReference | None = None
    threshold_note: str = ""
    device: str = "cpu"

    def threshold(
        self, policy: str | None, evaluated: ScoreTable | None = None, reject: str | None = None
    ) -> Threshold | None:
        """Return its own threshold, or one fitted by `policy` (an `oracle:` one on the `evaluated` scores).

        Its band of uncertain scores is the model's own, or that of the policy `reject`.

        Raises:
            DataError: a policy is fitted on scores, and there are none.
            ConfigError: the band does not contain the threshold.
        """
        dev, source = self.fitting_scores, self.fitted_on
        return choose_threshold(self.own_threshold, policy, dev, source, evaluated=evaluated, reject=reject)

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
        if own is None or not (parse_policy(own.policy).fitted or is_fitted(own.reject)):
            return evolve(self, fitting_scores=videos)
        if videos is None:
            return evolve(self, fitting_scores=None, own_threshold=None, why=why)
        reject = None if own.reject is None else own.reject.policy
        threshold = fit_threshold(own.policy, videos, own.source, reject=reject)
        return evolve(self, fitting_scores=videos, own_threshold=threshold)


def load_model(
    path: Path,
    registry: Registry,
    *,
    external: Path | None = None,
    detector: str | None = None,
    threads: int | None = None,
    device: str | None = None,
) -> LoadedModel:
    """Load a run folder (of folds: the final run), an exported model or a public model.

    Args:
        external: file that describes a model that `fas export` did not write.
        detector: detector of faces for a model that crops photos; None for the best one at hand.
        threads: CPU threads of one call of a model file; None for one per core.
        device: where a model file runs, or several in the order to try; None for the CPU.

    Raises:
        FasError: there is no such run, model or device, it is a set of runs, or it cannot be read.
    """
    if external is not None:
        if is_run_folder(path):
            raise ConfigError(f"--foreign describes a model that is not ours: {path} is a run")
        description = ExternalModel.read(external)
        return _load_external(ModelFile(path, threads, description, device=device), description, detector)
    opened = open_path(path, registry, threads, device)
    if isinstance(opened, FoldRuns):
        opened = opened.open_final()
    if isinstance(opened, RunSet):
        raise FasError(f"{path}: holds a run for each of {', '.join(opened.members)}: give one of them")
    if isinstance(opened, ModelFile):
        return _load_file(opened, registry, detector)
    return load_run(opened, detector)


def load_run(run: Run, detector: str | None = None) -> LoadedModel:
    """Load a run's model by its best weights; `detector` as for `load_model`.

    Raises:
        ModelError: weights are missing or do not fit the recipe.
        ConfigError: there is a detector, and the model states no crops.
    """
    from fas_core.models.folding import folded_scorer

    threshold, why, calibration = None, "", run.calibration()
    try:
        threshold = run.threshold()
    except FasError as error:
        why = error.message
    return LoadedModel(
        path=run.path,
        scorer=folded_scorer(run.model()),
        input=run.recipe.input,
        data=run.recipe.data,
        metrics=run.recipe.metrics,
        own_threshold=threshold,
        why=why,
        fitting_scores=run.fitting_scores(),
        fitted_on=run.fitted_on,
        fingerprints=run.results().get("data", {}),
        shipped_threshold=threshold if calibration is None else calibration.shipped,
        reference=build_reference(run),
        threshold_note=describe_threshold(run),
        faces=_choose_faces(run.path, run.recipe.input, detector),
    )


def _load_file(model: ModelFile, registry: Registry, detector: str | None) -> LoadedModel:
    card, path = model.card, model.path
    if is_public_model(path) or not card.recipe:
        return _load_external(model, None, detector)
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
        faces=_choose_faces(path, card.input, detector),
        threshold_note=card.threshold_note,
        shipped_threshold=card.shipped_threshold,
        reference=card.reference,
        device=model.device,
    )


def _choose_faces(path: Path, model_input: ModelInput, detector: str | None) -> FaceSelector | None:
    """Return what crops photos for a model that states its crops; None for one that takes face images."""
    faces = select_faces(model_input, detector)
    if faces is None and detector is not None:
        raise ConfigError(f"--detector is for models that crop photos: {path} takes face images")
    return faces


def _load_external(model: ModelFile, external: ExternalModel | None, detector: str | None) -> LoadedModel:
    """Load a model that `fas` did not train: no data are its own, and it crops photos."""
    crops = stated_crops(model.path, external).replace(detector=detector)
    is_public = is_public_model(model.path)
    return LoadedModel(
        path=model.path,
        scorer=model,
        input=model.card.input,
        data=None,
        metrics=Recipe().metrics,
        own_threshold=model.card.threshold,
        why=f"{model.path}: its description has none",
        faces=FaceSelector(settings=crops, model_input=model.card.input),
        note=f"trained on {PublicModel.read(model.path).training_data}" if is_public else "",
        shipped_threshold=model.card.shipped_threshold,
        device=model.device,
    )
