"""From the scores that a model gave to their figures, at the threshold that the model brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from fas_core.console import console
from fas_core.contracts import DatasetReader
from fas_core.errors import FasError
from fas_core.evaluation import Result, bind_metrics, evaluate
from fas_core.evaluation.groups import EvaluationOptions, GroupedResult, evaluate_groups
from fas_core.evaluation.metrics import BoundMetric
from fas_core.inference.cross_dataset import OWN, EvaluationData, format_spec, open_evaluation_data
from fas_core.inference.loaded_model import LoadedModel, load_run
from fas_core.inference.score_samples import protocol_notes, score_samples, subsets
from fas_core.inference.score_split import ScoredSplit, SplitOptions, open_data, score_split
from fas_core.registry import Registry
from fas_core.runs.groups import ProtocolRuns, naming
from fas_core.runs.run import Run

EVALUATED_SPLITS = ("dev", "test")
"""The splits that a finished run is evaluated on."""


@frozen(eq=False)
class Evaluation:
    """How a model is evaluated.

    Args:
        registry: of the data sets and metrics.
        split: which samples are scored, and how.
        options: metrics, intervals and groups.
        policy: of another threshold than the model's own.
        output: file (of one split) or folder (of several, as `NAME.csv`) that scores are written to.
    """

    registry: Registry
    split: SplitOptions = field(factory=SplitOptions)
    options: EvaluationOptions = field(factory=EvaluationOptions)
    policy: str | None = None
    output: Path | None = None

    def metrics(self, model: LoadedModel) -> list[BoundMetric]:
        """Load the metrics of the model's recipe and the further ones."""
        return self.options.bind(model.metrics, self.registry)

    def evaluate(
        self, scored: ScoredSplit, metrics: Sequence[BoundMetric], name: str, *, prefix: str = ""
    ) -> GroupedResult | None:
        """Evaluate a scored split; None where not every sample is labelled.

        Args:
            scored: the split.
            metrics: what is computed.
            name: of the result.
            prefix: what a warning begins with, where several splits are evaluated.

        Raises:
            DataError: the policy cannot be fitted, or nothing is known of what samples are grouped by.
        """
        if not scored.scores.is_labelled():
            return None
        threshold = scored.model.threshold(self.policy, evaluated=scored.scores)
        if threshold is None:
            console.warn(f"{prefix}no threshold: {scored.model.why}")
        return evaluate_groups(scored.scores, metrics, threshold, self.options, name=name, notes=scored.notes)

    def write_scores(self, scored: ScoredSplit, name: str) -> None:
        """Write the scores of one of several splits below `output`, if that is given."""
        if self.output is not None:
            scored.scores.write(self.output / f"{name}.csv")


def evaluate_subsets(model: LoadedModel, reader: DatasetReader, evaluation: Evaluation) -> list[Result]:
    """Evaluate every subset of the modalities, at the model's one threshold.

    Raises:
        FasError: the split cannot be scored or evaluated.
    """
    metrics, results = evaluation.metrics(model), []
    for only in subsets(model.input.modalities):
        name = "+".join(only)
        scored = score_split(model, reader, evolve(evaluation.split, only=only), description=name)
        threshold = scored.model.threshold(evaluation.policy, evaluated=scored.scores)
        replicates = evaluation.options.replicates
        results.append(
            evaluate(scored.scores, metrics, threshold, name=name, notes=scored.notes, replicates=replicates)
        )
    return results


def evaluate_protocol_runs(
    protocols: ProtocolRuns, data: str | None, evaluation: Evaluation
) -> list[Result | None]:
    """Evaluate the run of each sub-protocol; None for one whose samples are not all labelled.

    Args:
        protocols: the runs.
        data: another data set than the runs' own, as a user names it.
        evaluation: how each is evaluated.

    Raises:
        FasError: a run is missing or cannot be evaluated; the message names it.
    """
    results: list[Result | None] = []
    for member, run in protocols.runs().items():
        with naming(member):
            model = load_run(run)
            reader = open_data(model, data, evaluation.registry)
            scored = score_split(model, reader, evaluation.split, description=member)
            evaluation.write_scores(scored, member)
            grouped = evaluation.evaluate(scored, evaluation.metrics(model), member, prefix=f"{member}: ")
            results.append(None if grouped is None else grouped.result)
    return results


@frozen(eq=False)
class CrossDatasetResult:
    """One model's figures on several data sets.

    Args:
        results: of the labelled ones, in the order of `documents`.
        documents: plain data of every data set, for `--json`.
        notes: lines that belong under the table.
    """

    results: list[Result]
    documents: list[dict[str, Any]]
    notes: list[str]


def evaluate_across(
    model: LoadedModel, specs: Sequence[str], protocols: Mapping[str, str], evaluation: Evaluation
) -> CrossDatasetResult:
    """Score and evaluate one model on its own data and on others, at one threshold.

    Args:
        model: the model.
        specs: the data sets, as a user names them.
        protocols: `{data set: protocol}`.
        evaluation: how each is evaluated.

    Raises:
        FasError: a data set cannot be opened (before any is scored) or evaluated.
    """
    metrics = evaluation.metrics(model)
    split, registry = evaluation.split, evaluation.registry
    data, absent = open_evaluation_data(model, specs, split.split, registry, protocols)
    results: list[Result] = []
    documents: list[dict[str, Any]] = []
    unlabelled: list[str] = []
    for item in data:
        scored = score_split(model, item.reader, split, description=item.name)
        evaluation.write_scores(scored, item.name)
        count = len(scored.scores)
        document = {"name": item.name, "data": item.spec, "seen": item.seen, "samples": count}
        if (grouped := evaluation.evaluate(scored, metrics, item.name, prefix=f"{item.name}: ")) is None:
            unlabelled.append(f"{item.name}: {count} samples, not all labelled: no row")
        else:
            results.append(grouped.result)
            document |= grouped.result.to_json()
        documents.append(document)
    return CrossDatasetResult(results, documents, [*_origin_notes(model, data, results, absent), *unlabelled])


def _origin_notes(
    model: LoadedModel, data: Sequence[EvaluationData], results: Sequence[Result], absent: str
) -> list[str]:
    """Say what the model was trained on, where the threshold is from, and what the model never saw."""
    own = format_spec(model.data)
    seen = [item.name for item in data if item.seen and item.name != OWN]
    unseen = [item.name for item in data if not item.seen]
    notes = [f"own: {own}, on whose train split the model was trained"]
    if absent:
        notes = [f"trained on {own}, which is not here and has no row: {absent}"]
    if any(result.threshold is not None and result.threshold.source == "dev" for result in results):
        notes.append(f"the threshold is fitted on the dev split of {own}")
    if seen:
        notes.append(f"in one place with its own data, so perhaps seen in training: {', '.join(seen)}")
    if unseen:
        notes.append(f"never seen in training: {', '.join(unseen)}")
    return notes


def score_run(run: Run, reader: DatasetReader) -> None:
    """Score dev and test by the best weights, as far as the data set has them, into the run folder.

    Training left those weights' scores of dev, if it could evaluate them. The run of a fold scores its fold
    alone: test is for the run on all folds.
    """
    model = load_run(run)
    for split in EVALUATED_SPLITS if run.recipe.data.held_out is None else ("dev",):
        if split not in reader.splits() or (split == "dev" and run.scores(split).is_file()):
            continue
        scores = score_samples(
            model.scorer,
            reader.samples(split),
            model_input=model.input,
            workers=run.recipe.train.workers,
            description=split,
        )
        scores.write(run.scores(split))


def evaluate_stored(
    run: Run, reader: DatasetReader, *, name: str | None = None, replicates: int = 0
) -> dict[str, Result]:
    """Evaluate the labelled scores that a run folder holds of dev and test: `{split: result}`.

    Args:
        run: the run.
        reader: its data set.
        name: of the results; None for their split.
        replicates: as of `fas_core.evaluation.evaluate`.
    """
    metrics = bind_metrics(run.recipe.metrics, run.registry)
    try:
        threshold = run.threshold()
    except FasError:
        threshold = None
    notes = protocol_notes(reader, threshold)
    stored = {split: run.stored_scores(split) for split in EVALUATED_SPLITS}
    return {
        split: evaluate(scores, metrics, threshold, name=name or split, notes=notes, replicates=replicates)
        for split, scores in stored.items()
        if scores is not None and scores.is_labelled()
    }
