"""What `fas eval` prints of a model, of a set of runs, and of a model on several data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from fas_core.cli.views import show_result, show_summaries
from fas_core.console import console

if TYPE_CHECKING:
    from fas_core.inference.evaluate_split import Evaluation
    from fas_core.inference.loaded_model import LoadedModel
    from fas_core.runs.run_sets import RunSet


def _document(path: Path, plan: Evaluation, **facts: object) -> dict[str, Any]:
    """Return what every `--json` document begins with."""
    aggregate = {} if plan.split.vote is None else {"aggregate": f"video:{plan.split.vote}"}
    return {"model": str(path), **facts, "split": plan.split.split, **aggregate}


def show_one(
    model: LoadedModel, data: str | None, protocols: dict[str, str], plan: Evaluation, *, subsets: bool
) -> None:
    """Evaluate a model on its own data or `data`; print the figures, with `subsets` a row for each
    subset of the modalities.
    """
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


def show_run_set(run_set: RunSet, data: str | None, plan: Evaluation) -> None:
    """Evaluate each run of a set; print mean and standard deviation, and a row for each run."""
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


def show_across(
    model: LoadedModel, data: tuple[str, ...], protocols: dict[str, str], plan: Evaluation
) -> None:
    """Evaluate a model on its own data and on each of `data`; print a row for each."""
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
