"""`fas eval`: score a run or an exported model on a split, and judge the scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from attrs import evolve

from fas_core.cli.judging import EvaluationOptions, evaluation_options
from fas_core.cli.options.output import output_options
from fas_core.console import console
from fas_core.errors import require

if TYPE_CHECKING:
    from fas_core.contracts import DatasetReader
    from fas_core.evaluation import BoundMetric
    from fas_core.inference.loaded_model import LoadedModel
    from fas_core.inference.score_split import ScoredSplit, Terms


@click.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="RUN|SET|MODEL.onnx")
@click.option("--split", default="test", show_default=True, help="train, dev or test.")
@click.option(
    "--data",
    multiple=True,
    metavar="NAME|MANIFEST|FOLDER",
    help="Other data than the run's own; given several times, a row for each below the run's own.",
)
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    metavar="DATASET-PROTOCOL",
    help="Of a data set in --data, e.g. oulu_npu-1; may be repeated.",
)
@click.option(
    "--threshold",
    metavar="POLICY",
    help="The run's own, or eer, min-acer, apcer:X, apcer_max:X, bpcer:X of its dev scores, fixed:VALUE, "
    "oracle:POLICY.",
)
@click.option(
    "--scores",
    type=click.Path(path_type=Path),
    metavar="OUT.csv",
    help="Write every score; of a set, or of several --data: a folder.",
)
@click.option(
    "--aggregate", metavar="video[:VOTE]", help="Judge videos: mean, median, min, max or lfv of frames."
)
@click.option("--modalities", metavar="NAME[,NAME...]", help="Give the model these alone.")
@click.option("--subsets", is_flag=True, help="Judge every subset of the modalities, a row each.")
@click.option(
    "-j", "--workers", type=click.IntRange(1), default=2, show_default=True, help="Threads that read images."
)
@evaluation_options
@output_options
def command(
    target: Path,
    split: str,
    data: tuple[str, ...],
    protocols: tuple[str, ...],
    threshold: str | None,
    scores: Path | None,
    aggregate: str | None,
    modalities: str | None,
    subsets: bool,
    workers: int,
    judging: EvaluationOptions,
) -> None:
    """Score every sample of a split and print the table. Unlabelled data gives scores and no table.

    Of a set of runs, as `fas train --protocol` leaves it, each is judged, then mean and standard deviation.
    Of folds, as `fas train --folds` leaves them, the final model is.
    With several --data one table has them all, and the run's own first: one threshold, fitted on its dev.
    A model trained with train.modality_dropout judges what samples have, and on demand less than that.
    """
    from fas_core.registry import registry
    from fas_core.runs.folds import final_of, is_fold_runs
    from fas_core.runs.protocols import is_protocol_runs

    target = final_of(target, registry()).path if is_fold_runs(target) else target
    whole_set, several = is_protocol_runs(target), len(data) > 1
    _refuse_together(
        whole_set=whole_set,
        several=several,
        subsets=subsets,
        grouped=judging.group_by is not None,
        narrowed=bool(modalities or scores),
        protocols=bool(protocols),
    )
    if target.is_dir():
        require("train", "torch", "safetensors")
    from fas_core.cli.views.eval_across import evaluate_across
    from fas_core.cli.views.eval_set import evaluate_protocol_runs
    from fas_core.data.protocols import protocols_of
    from fas_core.inference.loaded_model import open_model
    from fas_core.inference.score_split import data_of, score_split

    terms = _terms(split, aggregate, modalities, workers, threshold)
    other = data[0] if data else None
    if whole_set:
        evaluate_protocol_runs(
            target, terms, judging, data=other, policy=threshold, folder=scores, registry=registry()
        )
        return
    told = protocols_of(protocols, registry())
    candidate = open_model(target, registry())
    if several:
        evaluate_across(
            candidate,
            data,
            terms,
            judging,
            protocols=told,
            policy=threshold,
            folder=scores,
            registry=registry(),
        )
        return
    metrics = judging.bound(candidate.metrics, registry())
    reader = data_of(candidate, other, registry(), told)
    if subsets:
        _judge_subsets(candidate, reader, terms, threshold, metrics, judging.replicates)
        return
    scored = score_split(candidate, reader, terms, description=split)
    _judge(scored, terms, threshold, metrics, judging, scores)


def _refuse_together(
    *, whole_set: bool, several: bool, subsets: bool, grouped: bool, narrowed: bool, protocols: bool
) -> None:
    """Options that cannot be had together are a usage error."""
    if several and (subsets or grouped):
        raise click.UsageError("several --data give a row each: without --subsets and --group-by")
    if subsets and (narrowed or grouped):
        raise click.UsageError(
            "--subsets gives a row for each subset: without --modalities, --scores and --group-by"
        )
    if whole_set and (subsets or grouped):
        raise click.UsageError(
            "a set of runs is judged without --subsets and --group-by: give one of its runs"
        )
    if whole_set and (several or protocols):
        raise click.UsageError("a set of runs takes one --data and no --protocol: give one of its runs")


def _terms(
    split: str, aggregate: str | None, modalities: str | None, workers: int, threshold: str | None
) -> Terms:
    """What is scored, and how; a mistake here, as in the threshold, should not wait for the scoring."""
    from fas_core.inference.score_split import Terms
    from fas_core.scores.thresholds import parse_policy
    from fas_core.scores.videos import parse_aggregate

    if threshold is not None:
        parse_policy(threshold)
    return Terms(
        split=split,
        vote=None if aggregate is None else parse_aggregate(aggregate),
        given=tuple(modalities.split(",")) if modalities else None,
        workers=workers,
    )


def _judge(
    scored: ScoredSplit,
    terms: Terms,
    threshold: str | None,
    metrics: Sequence[BoundMetric],
    judging: EvaluationOptions,
    output: Path | None,
) -> None:
    """Write the scores where that is asked for, and show what they are worth where they are labelled."""
    from fas_core.cli.judging import evaluate_groups, show

    candidate, table = scored.candidate, scored.scores
    document: dict[str, Any] = {"model": str(candidate.path), "split": terms.split, "samples": len(table)}
    if terms.vote is not None:
        document["aggregate"] = f"video:{terms.vote}"
    if output is not None:
        table.write(output)
        document["scores"] = str(output)
        console.info(f"{len(table)} scores in {output}")
    if table.is_labelled():
        cut = candidate.threshold(threshold, judged=table)
        judged = evaluate_groups(table, metrics, cut, judging, name=terms.split, notes=scored.notes)
        document |= judged.to_json()
        if cut is None:
            console.warn(f"no threshold: {candidate.why}")
        show(judged)
    else:
        ending = "" if output else "; give --scores OUT.csv"
        console.info(f"{len(table)} samples, not all labelled: no table{ending}")
    if console.json:
        console.document(document)


def _judge_subsets(
    candidate: LoadedModel,
    reader: DatasetReader,
    terms: Terms,
    threshold: str | None,
    metrics: Sequence[BoundMetric],
    replicates: int,
) -> None:
    """A row for each subset of the modalities, all at the candidate's one threshold."""
    from fas_core.evaluation import evaluate, tables
    from fas_core.inference.score_samples import subsets
    from fas_core.inference.score_split import score_split

    results = []
    for given in subsets(candidate.modalities):
        name = "+".join(given)
        scored = score_split(candidate, reader, evolve(terms, given=given), description=name)
        cut = scored.candidate.threshold(threshold, judged=scored.scores)
        results.append(
            evaluate(scored.scores, metrics, cut, name=name, notes=scored.notes, replicates=replicates)
        )
    for drawn in tables(results):
        console.table(drawn)
    if console.json:
        console.document(
            {"model": str(candidate.path), "split": terms.split, "subsets": [r.to_json() for r in results]}
        )
