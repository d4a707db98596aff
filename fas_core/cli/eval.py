"""`fas eval`: score a run or an exported model on a split, and evaluate the scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from attrs import evolve

from fas_core.cli.options import (
    MODEL,
    PATH,
    aggregate_option,
    detector_option,
    evaluation_options,
    evaluation_workers_option,
    external_model_option,
    output_options,
    reject_option,
    threshold_option,
)
from fas_core.cli.part_options import engine_options, score_by
from fas_core.cli.views import show_result, show_summaries
from fas_core.console import console
from fas_core.errors import require

if TYPE_CHECKING:
    from fas_core.cli.part_options import ChosenEngine
    from fas_core.evaluation.groups import EvaluationOptions
    from fas_core.inference.evaluate_split import Evaluation
    from fas_core.inference.loaded_model import LoadedModel
    from fas_core.inference.score_samples import SplitOptions
    from fas_core.runs.run_sets import RunSet


@click.command()
@click.argument("target", type=MODEL, metavar="RUN|MODEL.onnx|public:NAME")
@click.option("--split", default="test", show_default=True, help="Split to score: train, dev or test.")
@click.option(
    "--data",
    multiple=True,
    metavar="NAME|MANIFEST|FOLDER",
    help="Data to score instead of the run's own; given several times, a row for each below the run's own.",
)
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    metavar="DATASET-PROTOCOL",
    help="Protocol of a data set in --data, e.g. oulu_npu-1; may be repeated.",
)
@threshold_option
@reject_option
@click.option(
    "--calibrate-on",
    type=PATH,
    metavar="MANIFEST",
    help="Set the threshold on the live samples of these people, as `fas calibrate` does; they are not "
    "evaluated.",
)
@click.option(
    "--scores",
    type=PATH,
    metavar="OUT.csv",
    help="File to write every score to; a folder for several runs or several --data.",
)
@aggregate_option
@click.option("--modalities", metavar="NAME[,NAME...]", help="Give the model these modalities alone.")
@click.option("--subsets", is_flag=True, help="Evaluate every subset of the modalities, a row each.")
@external_model_option
@detector_option
@evaluation_workers_option
@evaluation_options
@engine_options
@output_options
def command(
    target: Path,
    split: str,
    data: tuple[str, ...],
    protocols: tuple[str, ...],
    threshold: str | None,
    calibrate_on: Path | None,
    reject: str | None,
    scores: Path | None,
    aggregate: str | None,
    modalities: str | None,
    subsets: bool,
    external: Path | None,
    detector: str | None,
    workers: int,
    evaluation: EvaluationOptions,
    engine: ChosenEngine | None,
) -> None:
    """Score every sample of a split and print the table. Unlabelled data gives scores and no table.

    Of sub-protocols (`fas train --protocol`) and of seeds (`fas train --seeds`) each run is evaluated, then
    mean and standard deviation.
    Of folds (`fas train --folds`) the final model is evaluated.
    With several --data one table has them all, and the run's own first: one threshold, fitted on its dev.
    A model trained with train.modality_dropout scores what samples have, and on demand less than that.
    A public model, or one that --foreign describes, crops photos to the face as it was trained: around the
    sample's box, or a detected face. A photo without a face has no score.
    With --engine an exported model scores one data set of any size, whose photos may be URLs; docs/ray.md
    says more.
    """
    from fas_core.runs.files import is_run_folder

    if is_run_folder(target):
        require("train", "torch", "safetensors")
    from fas_core.cli.next_steps import show_evaluation_steps
    from fas_core.data.protocols import protocols_of
    from fas_core.inference.evaluate_split import Evaluation
    from fas_core.inference.loaded_model import load_model
    from fas_core.registry import registry
    from fas_core.runs.groups import open_runs
    from fas_core.runs.run_sets import RunSet

    opened = open_runs(target, registry()) if is_run_folder(target) else None
    grouped, narrowed = evaluation.group_by is not None, bool(modalities or scores)
    if isinstance(opened, RunSet):
        _refuse_for_run_set(subsets or grouped, len(data) > 1 or bool(protocols))
    _refuse_together(several=len(data) > 1, subsets=subsets, grouped=grouped, narrowed=narrowed)
    if calibrate_on is not None and (threshold or aggregate or isinstance(opened, RunSet)):
        raise click.UsageError("--calibrate-on is for one model, without --threshold and --aggregate")
    options = _split_options(split, aggregate, modalities, workers, threshold, reject)
    if engine is not None:
        if len(data) > 1 or subsets:
            raise click.UsageError("--engine scores one data set: without --subsets, with one --data")
        options = score_by(engine, target, options, external, detector)
    plan = Evaluation(registry(), options, evaluation, threshold, scores, reject)
    if isinstance(opened, RunSet):
        _evaluate_run_set(opened, data[0] if data else None, plan)
        show_evaluation_steps(target)
        return
    known = protocols_of(protocols, registry())
    model = load_model(target, registry(), external=external, detector=detector)
    if calibrate_on is not None:
        model, plan = _calibrate_on(model, calibrate_on, plan)
    if len(data) > 1:
        _evaluate_across(model, data, known, plan)
    else:
        _evaluate_one(model, data[0] if data else None, known, plan, subsets=subsets)
    if external is None:
        show_evaluation_steps(target)


def _refuse_for_run_set(one_model_only: bool, several_data: bool) -> None:
    """Options that cannot be used with a set of runs are a usage error."""
    if one_model_only:
        raise click.UsageError(
            "a set of runs is evaluated without --subsets and --group-by: give one of its runs"
        )
    if several_data:
        raise click.UsageError("a set of runs takes one --data and no --protocol: give one of its runs")


def _refuse_together(*, several: bool, subsets: bool, grouped: bool, narrowed: bool) -> None:
    """Options that exclude each other are a usage error."""
    if several and (subsets or grouped):
        raise click.UsageError("several --data give a row each: without --subsets and --group-by")
    if subsets and (narrowed or grouped):
        raise click.UsageError(
            "--subsets gives a row for each subset: without --modalities, --scores and --group-by"
        )


def _split_options(
    split: str,
    aggregate: str | None,
    modalities: str | None,
    workers: int,
    threshold: str | None,
    reject: str | None,
) -> SplitOptions:
    """Parse the options, the policies too, before anything is scored."""
    from fas_core.inference.score_samples import SplitOptions
    from fas_core.scores.rejection import parse_reject
    from fas_core.scores.thresholds import parse_policy
    from fas_core.scores.videos import parse_aggregate

    if threshold is not None:
        parse_policy(threshold)
    if reject is not None:
        parse_reject(reject)
    return SplitOptions(
        split=split,
        vote=None if aggregate is None else parse_aggregate(aggregate),
        only=tuple(modalities.split(",")) if modalities else None,
        workers=workers,
    )


def _calibrate_on(model: LoadedModel, manifest: Path, plan: Evaluation) -> tuple[LoadedModel, Evaluation]:
    """Return the model with a calibrated threshold, and the plan without the people of the calibration."""
    from fas_core.inference.calibrate_on import calibrate_on

    calibrated = calibrate_on(model, manifest, plan.registry, workers=plan.split.workers)
    for note in calibrated.notes:
        console.info(note)
    return calibrated.model, evolve(plan, split=evolve(plan.split, excluded=calibrated.people))


def _document(path: Path, plan: Evaluation, **facts: object) -> dict[str, Any]:
    """Return what every `--json` document begins with."""
    aggregate = {} if plan.split.vote is None else {"aggregate": f"video:{plan.split.vote}"}
    return {"model": str(path), **facts, "split": plan.split.split, **aggregate}


def _evaluate_one(
    model: LoadedModel, data: str | None, protocols: dict[str, str], plan: Evaluation, *, subsets: bool
) -> None:
    from fas_core.evaluation import format_tables
    from fas_core.inference.evaluate_split import evaluate_subsets
    from fas_core.inference.model_data import open_data
    from fas_core.inference.score_samples import score_split

    metrics, reader = plan.metrics(model), open_data(model, data, plan.registry, protocols)
    if subsets:
        results = evaluate_subsets(model, reader, plan)
        for table in format_tables(results):
            console.table(table)
        show_summaries(results)
        if console.json:
            console.document(_document(model.path, plan) | {"subsets": [each.to_json() for each in results]})
        return
    scored = score_split(model, reader, plan.split, description=plan.split.split)
    document = _document(model.path, plan) | {"samples": len(scored.scores)}
    if plan.output is not None:
        scored.scores.write(plan.output)
        document["scores"] = str(plan.output)
        console.info(f"{len(scored.scores)} scores in {plan.output}")
    if (result := plan.evaluate(scored, metrics, plan.split.split)) is not None:
        document |= result.to_json()
        show_result(result)
    else:
        advice = "" if plan.output else "; give --scores OUT.csv"
        console.info(f"{len(scored.scores)} samples, not all labelled: no table{advice}")
    if console.json:
        console.document(document)


def _evaluate_run_set(run_set: RunSet, data: str | None, plan: Evaluation) -> None:
    from fas_core.evaluation.spread import spread, spread_tables
    from fas_core.inference.evaluate_split import evaluate_run_set

    results = evaluate_run_set(run_set, data, plan)
    document = _document(run_set.path, plan, **run_set.facts)
    if plan.output is not None:
        document["scores"] = str(plan.output)
        console.info(f"scores in {plan.output}")
    labelled = [result for result in results if result is not None]
    if len(labelled) == len(results):
        figures = spread(labelled)
        document |= figures.to_json(run_set.kind)
        for table in spread_tables(figures, title=plan.split.split):
            console.table(table)
        show_summaries(labelled)
    else:
        advice = "" if plan.output else "; give --scores FOLDER"
        console.info(f"not all samples are labelled: no table{advice}")
    if console.json:
        console.document(document)


def _evaluate_across(
    model: LoadedModel, data: tuple[str, ...], protocols: dict[str, str], plan: Evaluation
) -> None:
    from fas_core.evaluation.tables import ACROSS, format_tables, with_samples
    from fas_core.inference.cross_dataset import evaluate_across

    across = evaluate_across(model, data, protocols, plan)
    document = _document(model.path, plan)
    if plan.output is not None:
        document["scores"] = str(plan.output)
        console.info(f"scores in {plan.output}")
    if across.results:
        first, *others = format_tables(across.results, lead=ACROSS)
        note = "\n".join(filter(None, [*across.notes, first.note]))
        for table in (evolve(with_samples(first, across.results), note=note), *others):
            console.table(table)
        show_summaries(across.results)
    else:
        for note in across.notes:
            console.info(note)
    if console.json:
        console.document(document | {"data": across.documents, "notes": across.notes})
