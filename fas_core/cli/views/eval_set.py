"""`fas eval` of a set of sub-protocols: each of its runs, then mean and standard deviation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fas_core.cli.judging import EvaluationOptions, evaluate_groups
from fas_core.console import console
from fas_core.evaluation import Result
from fas_core.evaluation.protocols import spread, spread_tables
from fas_core.inference.loaded_model import open_model
from fas_core.inference.score_split import ScoredSplit, Terms, data_of, score_split
from fas_core.registry import Registry
from fas_core.runs.group import naming
from fas_core.runs.protocols import ProtocolRuns


def evaluate_protocol_runs(
    path: Path,
    terms: Terms,
    judging: EvaluationOptions,
    *,
    data: str | None,
    policy: str | None,
    folder: Path | None,
    registry: Registry,
) -> None:
    """Score and judge every run of a set, and show the figures together.

    Args:
        path: the set's folder.
        terms: what is scored.
        judging: how it is judged.
        data: another data set than the runs' own.
        policy: of another threshold than the runs' own.
        folder: where the scores of each are written, as `SUB-PROTOCOL.csv`; None for nowhere.
        registry: of what the recipes name.

    Raises:
        FasError: a run is missing or cannot be judged; it says which.
    """
    protocols = ProtocolRuns.open(path, registry)
    results: list[Result | None] = []
    for member, run in protocols.runs().items():
        with naming(member):
            candidate = open_model(run.path, registry)
            reader = data_of(candidate, data, registry)
            scored = score_split(candidate, reader, terms, description=member)
            if folder is not None:
                scored.scores.write(folder / f"{member}.csv")
            results.append(_judged(scored, member, judging, policy, registry))
    document: dict[str, Any] = {"model": str(path), "protocol": protocols.protocol, "split": terms.split}
    if terms.vote is not None:
        document["aggregate"] = f"video:{terms.vote}"
    if folder is not None:
        document["scores"] = str(folder)
        console.info(f"scores in {folder}")
    labelled = [result for result in results if result is not None]
    if len(labelled) == len(results):
        found = spread(labelled)
        document |= found.to_json()
        for table in spread_tables(found, title=terms.split):
            console.table(table)
    else:
        console.info("not all samples are labelled: no table" + ("" if folder else "; give --scores FOLDER"))
    if console.json:
        console.document(document)


def _judged(
    scored: ScoredSplit, member: str, judging: EvaluationOptions, policy: str | None, registry: Registry
) -> Result | None:
    """The result of one run; None where not every sample is labelled."""
    candidate, scores = scored.candidate, scored.scores
    if not scores.is_labelled():
        return None
    cut = candidate.threshold(policy, judged=scores)
    if cut is None:
        console.warn(f"{member}: no threshold: {candidate.why}")
    metrics = judging.bound(candidate.metrics, registry)
    return evaluate_groups(scores, metrics, cut, judging, name=member, notes=scored.notes).result
