"""From the scores that a model gave to their figures, at the threshold that the model brings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from attrs import evolve, field, frozen

from fas_core.console import console
from fas_core.contracts import DatasetReader
from fas_core.data.threshold_advice import advise
from fas_core.errors import FasError
from fas_core.evaluation import Result, bind_metrics, evaluate
from fas_core.evaluation.groups import EvaluationOptions, GroupedResult, evaluate_groups
from fas_core.evaluation.metrics import BoundMetric
from fas_core.inference.loaded_model import LoadedModel, load_run
from fas_core.inference.model_data import open_data
from fas_core.inference.peers import ALONE, Peers
from fas_core.inference.score_samples import (
    ScoredSplit,
    SplitOptions,
    protocol_notes,
    score_samples,
    score_split,
    subsets,
    threshold_notes,
)
from fas_core.records.samples import LIVE, SampleTable
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.groups import naming
from fas_core.runs.run import Run
from fas_core.runs.run_sets import RunSet
from fas_core.scores.grouping import check_group_by
from fas_core.scores.rejection import parse_reject
from fas_core.scores.thresholds import parse_policy
from fas_core.scores.videos import parse_aggregate

EVALUATED_SPLITS = ("dev", "test")
"""The splits that a finished run is evaluated on."""

LIVE_PHOTOS = 20
"""Live samples of each person and session of train whose median a card's reference is about."""


@frozen(eq=False)
class Evaluation:
    """How a model is evaluated.

    Args:
        policy: threshold policy; None for the model's own threshold.
        reject: policy of the uncertain scores around it; None for the model's own.
        output: file (of one split) or folder (of several, as `NAME.csv`) that scores are written to.
    """

    registry: Registry
    split: SplitOptions = field(factory=SplitOptions)
    options: EvaluationOptions = field(factory=EvaluationOptions)
    policy: str | None = None
    output: Path | None = None
    reject: str | None = None

    def metrics(self, model: LoadedModel) -> list[BoundMetric]:
        """Load the metrics of the model's recipe and the further ones."""
        return self.options.bind(model.metrics, self.registry)

    def evaluate(
        self, scored: ScoredSplit, metrics: Sequence[BoundMetric], name: str, *, prefix: str = ""
    ) -> GroupedResult | None:
        """Evaluate a scored split; None where not every sample is labelled. Warnings begin with `prefix`.

        Raises:
            DataError: the policy cannot be fitted, or nothing is known of what samples are grouped by.
        """
        if not scored.scores.is_labelled():
            return None
        threshold = scored.model.threshold(self.policy, scored.scores, self.reject)
        if threshold is None:
            console.warn(f"{prefix}no threshold: {scored.model.why}")
        return evaluate_groups(scored.scores, metrics, threshold, self.options, name=name, notes=scored.notes)

    def write_scores(self, scored: ScoredSplit, name: str) -> None:
        """Write the scores of one of several splits below `output`, if that is given."""
        if self.output is not None:
            scored.scores.write(self.output / f"{name}.csv")


def plan_evaluation(
    registry: Registry,
    options: EvaluationOptions,
    *,
    split: str = "test",
    aggregate: str | None = None,
    modalities: tuple[str, ...] | None = None,
    workers: int = 2,
    threshold: str | None = None,
    reject: str | None = None,
    output: Path | None = None,
) -> Evaluation:
    """Return how a model is evaluated, from what users write; it is parsed before anything is scored.

    Args:
        aggregate: `video` or `video:VOTE` to evaluate videos; None for frames.
        modalities: those that the model is given; None for all that a sample has.
        threshold, reject: policies; None for the model's own.

    Raises:
        ConfigError: a policy or the vote is no such text, or samples have no column `options.group_by`.
    """
    if options.group_by is not None:
        check_group_by(options.group_by)
    if threshold is not None:
        parse_policy(threshold)
    if reject is not None:
        parse_reject(reject)
    vote = None if aggregate is None else parse_aggregate(aggregate)
    split_options = SplitOptions(split, vote, modalities, workers)
    return Evaluation(registry, split_options, options, threshold, output, reject)


def evaluate_subsets(model: LoadedModel, reader: DatasetReader, evaluation: Evaluation) -> list[Result]:
    """Evaluate every subset of the modalities, at the model's one threshold."""
    metrics, replicates, results = evaluation.metrics(model), evaluation.options.replicates, []
    for only in subsets(model.input.modalities):
        name = "+".join(only)
        scored = score_split(model, reader, evolve(evaluation.split, only=only), description=name)
        scores, notes = scored.scores, scored.notes
        threshold = scored.model.threshold(evaluation.policy, scores, evaluation.reject)
        results.append(evaluate(scores, metrics, threshold, name=name, notes=notes, replicates=replicates))
    return results


def evaluate_run_set(run_set: RunSet, data: str | None, evaluation: Evaluation) -> list[Result | None]:
    """Evaluate every run of a set, on `data` or its own; None where not every sample is labelled.

    Raises:
        FasError: a run is missing or cannot be evaluated; the message names it.
    """
    results: list[Result | None] = []
    for member, run in run_set.runs().items():
        with naming(member):
            model = load_run(run)
            reader = open_data(model, data, evaluation.registry)
            scored = score_split(model, reader, evaluation.split, description=member)
            evaluation.write_scores(scored, member)
            grouped = evaluation.evaluate(scored, evaluation.metrics(model), member, prefix=f"{member}: ")
            results.append(None if grouped is None else grouped.result)
    return results


def score_run(run: Run, reader: DatasetReader, peers: Peers = ALONE) -> None:
    """Score dev, test and some live samples of train by the best weights into the run folder.

    Of several processes each scores a share, and the main one writes.

    Raises FasError if the folder has been removed.

    Training left those weights' scores of dev, if it could evaluate them. The run of a fold scores its fold
    alone: test is for the run on all folds.
    """
    model = load_run(run)
    for split in EVALUATED_SPLITS if run.recipe.data.held_out is None else ("dev",):
        if split not in reader.splits() or (split == "dev" and run.has_scores(split)):
            continue
        options = SplitOptions(split, workers=run.recipe.train.workers, peers=peers)
        scored = score_split(model, reader, options, description=split)
        if peers.rank == 0:
            run.require_folder()
            run.write_scores(split, scored.scores)
    _score_live_train(run, model, reader, peers)


def _score_live_train(run: Run, model: LoadedModel, reader: DatasetReader, peers: Peers) -> None:
    """Score up to `LIVE_PHOTOS` live samples of each person and session of train, where people are known."""
    if "train" not in reader.splits():
        return
    samples = spread_live(reader.samples("train"), LIVE_PHOTOS)
    if len(samples):
        scores = score_samples(
            model.scorer,
            samples,
            model_input=model.input,
            faces=model.faces,
            workers=run.recipe.train.workers,
            description="train, live",
            peers=peers,
        )
        if peers.rank == 0:
            run.require_folder()
            run.write_scores(files.TRAIN_LIVE, scores)


def spread_live(samples: SampleTable, count: int) -> SampleTable:
    """Return up to `count` live samples of each subject and session, spread over its rows; none without."""
    subjects, sessions = samples.column("subject"), samples.column("session")
    groups: dict[tuple[str, str], list[int]] = {}
    for row in np.flatnonzero(samples.labels == LIVE).tolist():
        if subjects[row] is not None:
            groups.setdefault((subjects[row], sessions[row] or ""), []).append(row)
    positions = (np.linspace(0, len(rows) - 1, min(count, len(rows))).round() for rows in groups.values())
    selected = [
        np.array(rows)[index.astype(int)] for rows, index in zip(groups.values(), positions, strict=True)
    ]
    return samples.take(np.sort(np.concatenate(selected)) if selected else np.array([], np.int64))


def evaluate_stored(
    run: Run, reader: DatasetReader, *, name: str | None = None, replicates: int = 0
) -> dict[str, Result]:
    """Evaluate the labelled scores that a run folder holds of dev and test: `{split: result}`.

    `reader` is of the run's data set; the results are named `name`, or as their split.
    """
    metrics = bind_metrics(run.recipe.metrics, run.registry)
    try:
        threshold = run.threshold()
    except FasError:
        threshold = None
    config = run.recipe
    advice = advise(reader, config.folds, config.train.seed, run.fitting_scores())
    note = "" if advice is None else advice.note
    notes = (*protocol_notes(reader), *threshold_notes(threshold, note))
    stored = {split: run.stored_scores(split) for split in EVALUATED_SPLITS}
    return {
        split: evaluate(scores, metrics, threshold, name=name or split, notes=notes, replicates=replicates)
        for split, scores in stored.items()
        if scores is not None and scores.is_labelled()
    }
