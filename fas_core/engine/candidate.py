"""What is being judged: a run or an exported model, seen the same way. Torch only where the run needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.config import DatasetChoice, MetricChoice, Resize
from fas_core.contracts import Scorer
from fas_core.errors import ConfigError, FasError, ModelError
from fas_core.plugins import Registry
from fas_core.structure import structure
from fas_core.thresholds import Threshold, fit_threshold, parse_policy


@frozen(eq=False)
class Candidate:
    """A model ready to score, and the terms it came with.

    Args:
        path: run folder or model file.
        scorer: scores a batch of images.
        threshold: None where none could be fitted; `why` says why.
        data: the data set it was trained on.
        metrics: those of its recipe.
    """

    path: Path
    scorer: Scorer
    modalities: tuple[str, ...]
    input_size: int
    resize: Resize
    threshold: Threshold | None
    data: DatasetChoice
    metrics: tuple[MetricChoice, ...]
    why: str = ""

    @property
    def scoring(self) -> dict[str, Any]:
        """How samples become inputs, as `score_samples` takes it."""
        return {"modalities": self.modalities, "input_size": self.input_size, "resize": self.resize}


def open_candidate(path: Path, registry: Registry, policy: str | None = None) -> Candidate:
    """A run folder or an exported model.

    Args:
        policy: of the threshold, instead of the candidate's own.

    Raises:
        FasError: there is no such run or model, or its threshold cannot be had by that policy.
    """
    if path.is_dir():
        return _from_run(path, registry, policy)
    if path.suffix == ".onnx":
        return _from_onnx(path, registry, policy)
    known = "no such run folder or model" if not path.exists() else "neither a run folder nor a .onnx model"
    raise ModelError(f"{path}: {known}: give what `fas train` or `fas export` wrote")


def _from_run(path: Path, registry: Registry, policy: str | None) -> Candidate:
    from fas_core.engine.run import Run
    from fas_core.model import scorer

    run = Run.open(path, registry)
    recipe = run.recipe
    threshold, why = None, ""
    try:
        threshold = run.threshold(policy)
    except FasError as error:
        if policy is not None:
            raise
        why = error.message
    return Candidate(
        path=path,
        scorer=scorer(run.model()),
        modalities=recipe.modalities,
        input_size=recipe.model.input_size,
        resize=recipe.resize,
        threshold=threshold,
        data=recipe.data,
        metrics=recipe.metrics,
        why=why,
    )


def _from_onnx(path: Path, registry: Registry, policy: str | None) -> Candidate:
    from fas_core.runtime import Predictor

    predictor = Predictor(path)
    card = predictor.card
    threshold = card.threshold
    if policy is not None and (threshold is None or policy != threshold.policy):
        if parse_policy(policy).fitted:
            raise ConfigError(f"{path}: an exported model has no dev scores: give --threshold fixed:VALUE")
        threshold = fit_threshold(policy, None)
    return Candidate(
        path=path,
        scorer=predictor,
        modalities=card.modalities,
        input_size=card.input_size,
        resize=card.resize,
        threshold=threshold,
        data=structure(card.recipe["data"], DatasetChoice, registry, f"{path}: data"),
        metrics=structure(card.recipe["metrics"], tuple[MetricChoice, ...], registry, f"{path}: metrics"),
        why="" if threshold else f"{path}: exported without a threshold",
    )
