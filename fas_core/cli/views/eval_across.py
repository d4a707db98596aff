"""`fas eval` on several data sets: one threshold, one table, a row for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from fas_core.cli.judging import EvaluationOptions, evaluate_groups
from fas_core.console import console
from fas_core.evaluation import BoundMetric, Result, tables
from fas_core.evaluation.tables import ACROSS, with_samples
from fas_core.inference.cross_dataset import OWN, EvaluationData, open_evaluation_data, said
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.score_split import ScoredSplit, Terms, score_split
from fas_core.registry import Registry


def evaluate_across(
    candidate: LoadedModel,
    specs: Sequence[str],
    terms: Terms,
    judging: EvaluationOptions,
    *,
    protocols: Mapping[str, str],
    policy: str | None,
    folder: Path | None,
    registry: Registry,
) -> None:
    """Score and judge one model on its own data and on others, and show the figures together.

    Args:
        candidate: the model.
        specs: the data sets, as a user names them.
        terms: what is scored.
        judging: how it is judged.
        protocols: `{data set: protocol}`.
        policy: of another threshold than the model's own.
        folder: where the scores of each are written, as `NAME.csv`; None for nowhere.
        registry: of the data sets and metrics.

    Raises:
        FasError: a data set cannot be opened (before any is scored) or judged.
    """
    metrics = judging.bound(candidate.metrics, registry)
    targets, absent = open_evaluation_data(candidate, specs, terms.split, registry, protocols)
    unlabelled: list[str] = []
    results: list[Result] = []
    documents: list[dict[str, Any]] = []
    for target in targets:
        scored = score_split(candidate, target.reader, terms, description=target.name)
        if folder is not None:
            scored.scores.write(folder / f"{target.name}.csv")
        about = {"name": target.name, "data": target.spec, "seen": target.seen, "samples": len(scored.scores)}
        if scored.scores.is_labelled():
            result = _judged(scored, target.name, metrics, policy, judging)
            results.append(result)
            about |= result.to_json()
        else:
            unlabelled.append(f"{target.name}: {len(scored.scores)} samples, not all labelled: no row")
        documents.append(about)
    notes = [*_notes(candidate, targets, results, absent), *unlabelled]
    if folder is not None:
        console.info(f"scores in {folder}")
    _show(results, notes)
    if console.json:
        document: dict[str, Any] = {"model": str(candidate.path), "split": terms.split}
        if terms.vote is not None:
            document["aggregate"] = f"video:{terms.vote}"
        if folder is not None:
            document["scores"] = str(folder)
        console.document(document | {"data": documents, "notes": notes})


def _judged(
    scored: ScoredSplit,
    name: str,
    metrics: Sequence[BoundMetric],
    policy: str | None,
    judging: EvaluationOptions,
) -> Result:
    """At the threshold that the model brings, fitted on none of what is judged unless that is asked for."""
    cut = scored.candidate.threshold(policy, judged=scored.scores)
    if cut is None:
        console.warn(f"{name}: no threshold: {scored.candidate.why}")
    return evaluate_groups(scored.scores, metrics, cut, judging, name=name, notes=scored.notes).result


def _notes(
    candidate: LoadedModel, targets: Sequence[EvaluationData], results: Sequence[Result], absent: str
) -> list[str]:
    """What the model was trained on, where the threshold is from, and what it never saw."""
    own = said(candidate.data)
    near = [target.name for target in targets if target.seen and target.name != OWN]
    new = [target.name for target in targets if not target.seen]
    notes = [f"own: {own}, on whose train split the model was trained"]
    if absent:
        notes = [f"trained on {own}, which is not here and has no row: {absent}"]
    if any(result.threshold is not None and result.threshold.source == "dev" for result in results):
        notes.append(f"the threshold is fitted on the dev split of {own}")
    if near:
        notes.append(f"in one place with its own data, so perhaps seen in training: {', '.join(near)}")
    if new:
        notes.append(f"never seen in training: {', '.join(new)}")
    return notes


def _show(results: Sequence[Result], notes: Sequence[str]) -> None:
    if not results:
        for note in notes:
            console.info(note)
        return
    first, *others = tables(results, lead=ACROSS)
    console.table(evolve(with_samples(first, results), note="\n".join(filter(None, [*notes, first.note]))))
    for table in others:
        console.table(table)
