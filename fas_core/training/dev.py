"""Dev during a training: its scores, and their figures for `metrics.jsonl`."""

from __future__ import annotations

from typing import Any

from fas_core.evaluation import bind_metrics, evaluate
from fas_core.inference.peers import ALONE, Peers
from fas_core.inference.score_samples import score_samples
from fas_core.models.model import Model, scorer
from fas_core.records.samples import SampleTable
from fas_core.runs.run import Run
from fas_core.runtime.face_selection import select_faces
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold


def evaluate_dev(
    run: Run, model: Model, dev: SampleTable, peers: Peers = ALONE
) -> tuple[ScoreTable, dict[str, Any]]:
    """Score dev by a model, which is in eval mode then; return the scores, and figures for metrics.jsonl.

    The threshold is fitted on these scores by the recipe's policy. Each of `peers` scores its share.
    """
    recipe = run.recipe
    scores = score_samples(
        scorer(model),
        dev,
        model_input=recipe.input,
        faces=select_faces(recipe.input),
        workers=recipe.train.workers,
        description="dev",
        peers=peers,
    )
    threshold = fit_threshold(recipe.threshold, scores)
    result = evaluate(scores, bind_metrics(recipe.metrics, run.registry), threshold, name="dev")
    return scores, result.to_json()["metrics"]
