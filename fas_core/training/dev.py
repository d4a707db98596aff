"""Dev during a training: its scores, their figures for `metrics.jsonl`, and which weights are the best."""

from __future__ import annotations

from typing import Any

from fas_core.evaluation import bind_metrics, evaluate
from fas_core.inference.peers import ALONE, Peers
from fas_core.inference.score_samples import score_samples
from fas_core.models.folding import folded_scorer
from fas_core.models.model import Model
from fas_core.records.samples import SampleTable
from fas_core.runs.run import Run
from fas_core.runtime.face_selection import select_faces
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold
from fas_core.training.distribution import TrainingPeers
from fas_core.training.progress import TrainingProgress


def evaluate_dev(
    run: Run, model: Model, dev: SampleTable, peers: Peers = ALONE
) -> tuple[ScoreTable, dict[str, Any]]:
    """Score dev by a model, which is in eval mode then; return the scores, and figures for metrics.jsonl.

    The threshold is fitted on these scores by the recipe's policy. Each of `peers` scores its share.
    """
    recipe = run.recipe
    scores = score_samples(
        folded_scorer(model),
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


def judge(
    run: Run, model: Model, dev: SampleTable | None, progress: TrainingProgress, peers: TrainingPeers
) -> dict[str, Any]:
    """Evaluate dev at the end of an epoch if it is due; return the epoch's entries in `metrics.jsonl`.

    The weights are saved as the best ones if no epoch had a lower EER, and always where there is no dev split
    or the recipe selects the last weights. `progress` notes the EER.
    """
    config, epoch, is_main = run.recipe.train, progress.epoch + 1, peers.rank == 0
    if dev is None:
        if is_main:
            run.save_weights(model, "best")
        return {}
    if epoch % config.judge_every and epoch < config.epochs:
        return {}
    scores, metrics = evaluate_dev(run, model, dev, peers)
    _, eer = scores.rates.equal_error_threshold()
    best = config.select == "last" or eer <= progress.best_eer
    if best and is_main:
        run.save_weights(model, "best")
        run.write_scores("dev", scores)
    progress.judge(eer)
    return {"dev": metrics, "best": best}
