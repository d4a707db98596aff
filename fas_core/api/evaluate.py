"""Evaluation for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fas_core.api.result import Result
from fas_core.data.fetched_models import resolve_model
from fas_core.errors import require
from fas_core.evaluation import REPLICATES
from fas_core.evaluation.groups import EvaluationOptions
from fas_core.inference.evaluate_split import plan_evaluation
from fas_core.inference.loaded_model import LoadedModel, load_model, load_run
from fas_core.inference.model_data import open_data
from fas_core.inference.score_samples import score_split
from fas_core.registry import registry
from fas_core.runs.files import is_run_folder
from fas_core.runs.run import Run
from fas_core.user_paths import expand_user


def evaluate(
    run_or_model: Run | str | Path,
    data: str | Path | None = None,
    *,
    split: str = "test",
    threshold: str | None = None,
    reject: str | None = None,
    aggregate: str | None = None,
    modalities: Sequence[str] | None = None,
    group_by: str | None = None,
    metrics: Sequence[str] = (),
    replicates: int = REPLICATES,
    detector: str | None = None,
    workers: int = 2,
) -> Result:
    """Score a split by a model and compute the figures of the scores, as `fas eval` does.

    Args:
        run_or_model: a run, its folder (of folds: the final run), an exported model, or `public:NAME`.
        data: NAME, NAME:ROOT, a folder or a manifest; None for the run's own data.
        split: train, dev or test.
        threshold: policy, such as `eer` or `fixed:0.5`; None for the model's own threshold.
        reject: policy of the scores without a verdict, `LOW:HIGH`, `error:X` or `none`; None for the
            model's own.
        aggregate: `video` or `video:VOTE` to evaluate videos; None for frames.
        modalities: those that the model is given; None for all that a sample has.
        group_by: column whose values get figures of their own, e.g. `species`.
        metrics: further ones, each `NAME` or `NAME:RATE,...`.
        replicates: of the bootstrap that gives 95 % intervals; 0 for none.
        detector: face detector of a model that crops photos; None for the best one at hand.
        workers: threads that read images.

    Raises:
        FasError: the model, the data or a policy cannot be used.

    Example:
        >>> result = evaluate("runs/quickstart", data="LCC_FASD", group_by="species")  # doctest: +SKIP
        >>> result.metrics["acer"]  # doctest: +SKIP
        0.0182
    """
    options = EvaluationOptions(replicates, group_by, tuple(metrics))
    plan = plan_evaluation(
        registry(),
        options,
        split=split,
        aggregate=aggregate,
        modalities=None if modalities is None else tuple(modalities),
        workers=workers,
        threshold=threshold,
        reject=reject,
    )
    model = _load(run_or_model, detector)
    bound = plan.metrics(model)
    reader = open_data(model, None if data is None else str(data), plan.registry)
    scored = score_split(model, reader, plan.split, description=split)
    return Result(split, scored.scores, plan.evaluate(scored, bound, split))


def _load(run_or_model: Run | str | Path, detector: str | None) -> LoadedModel:
    if isinstance(run_or_model, Run):
        require("train", "torch", "safetensors")
        return load_run(run_or_model, detector)
    path = resolve_model(str(expand_user(run_or_model)))
    if is_run_folder(path):
        require("train", "torch", "safetensors")
    return load_model(path, registry(), detector=detector)
