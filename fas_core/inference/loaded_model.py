"""What is being judged: a run or an exported model, seen the same way. Torch only where the run needs it."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from fas_core.config.recipe import DatasetChoice, MetricChoice
from fas_core.config.structure import structure
from fas_core.contracts import Scorer
from fas_core.errors import FasError, ModelError
from fas_core.records.model_input import ModelInput
from fas_core.registry import Registry
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold


@frozen(eq=False)
class LoadedModel:
    """A model ready to score, and the terms it came with.

    Args:
        path: run folder or model file.
        scorer: scores a batch of images.
        input: what it takes.
        data: the data set it was trained on.
        metrics: those of its recipe.
        own_threshold: None where it has none; `why` says why.
        dev: the scores that another policy can be fitted on; an exported model has none.
        fitted_on: what those are of: dev, unless its recipe has folds.
    """

    path: Path
    scorer: Scorer
    input: ModelInput
    data: DatasetChoice
    metrics: tuple[MetricChoice, ...]
    own_threshold: Threshold | None
    why: str = ""
    dev: ScoreTable | None = None
    fitted_on: str = "dev"

    def threshold(self, policy: str | None, judged: ScoreTable | None = None) -> Threshold | None:
        """By another policy than its own, if one is given.

        Raises:
            DataError: the policy is fitted, and there is nothing to fit it on.
        """
        if policy is None or (self.own_threshold is not None and policy == self.own_threshold.policy):
            return self.own_threshold
        return fit_threshold(policy, self.dev, self.fitted_on, judged=judged)


def open_model(path: Path, registry: Registry) -> LoadedModel:
    """A run folder or an exported model.

    Raises:
        FasError: there is no such run or model, or it cannot be read.
    """
    if path.is_dir():
        return _from_run(path, registry)
    if path.suffix in (".onnx", ".xml"):
        return _from_file(path, registry)
    known = "neither a run folder nor a model file" if path.exists() else "no such run folder or model"
    raise ModelError(f"{path}: {known}: give what `fas train` or `fas export` wrote")


def _from_run(path: Path, registry: Registry) -> LoadedModel:
    from fas_core.models.model import scorer
    from fas_core.runs.run import Run

    run = Run.open(path, registry)
    recipe = run.recipe
    threshold, why = None, ""
    try:
        threshold = run.threshold()
    except FasError as error:
        why = error.message
    return LoadedModel(
        path=path,
        scorer=scorer(run.model()),
        input=recipe.input,
        data=recipe.data,
        metrics=recipe.metrics,
        own_threshold=threshold,
        why=why,
        dev=run.fitting_scores(),
        fitted_on=run.fitted_on,
    )


def _from_file(path: Path, registry: Registry) -> LoadedModel:
    from fas_core.runtime import ModelFile

    model = ModelFile(path)
    card = model.card
    return LoadedModel(
        path=path,
        scorer=model,
        input=card.input,
        data=structure(card.recipe["data"], DatasetChoice, registry, f"{path}: data"),
        metrics=structure(card.recipe["metrics"], tuple[MetricChoice, ...], registry, f"{path}: metrics"),
        own_threshold=card.threshold,
        why=f"{path}: exported without one",
    )
