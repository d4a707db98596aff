"""`fas eval`: score a run or an exported model on a split, and judge the scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from fas_core.cli.judging import Judging, judging_options
from fas_core.cli.options import output_options
from fas_core.console import console

if TYPE_CHECKING:
    from fas_core.contracts import DatasetReader
    from fas_core.engine.candidate import Candidate
    from fas_core.report import BoundMetric


@click.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="RUN|MODEL.onnx")
@click.option("--split", default="test", show_default=True, help="train, dev or test.")
@click.option("--data", metavar="NAME|MANIFEST|FOLDER", help="Other data than the run's own.")
@click.option("--threshold", metavar="POLICY", help="eer (from the run's dev scores) or fixed:VALUE.")
@click.option(
    "--scores", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.csv", help="Write every score."
)
@click.option("--modalities", metavar="NAME[,NAME...]", help="Give the model these alone.")
@click.option("--subsets", is_flag=True, help="Judge every subset of the modalities, a row each.")
@click.option(
    "-j", "--workers", type=click.IntRange(1), default=2, show_default=True, help="Threads that read images."
)
@judging_options
@output_options
def command(
    target: Path,
    split: str,
    data: str | None,
    threshold: str | None,
    scores: Path | None,
    modalities: str | None,
    subsets: bool,
    workers: int,
    judging: Judging,
) -> None:
    """Score every sample of a split and print the table. Unlabelled data gives scores and no table.

    A model trained with train.modality_dropout judges what samples have, and on demand less than that.
    """
    from fas_core.engine.candidate import open_candidate

    if subsets and (modalities or scores or judging.group_by):
        raise click.UsageError(
            "--subsets gives a row for each subset: without --modalities, --scores and --group-by"
        )

    if target.is_dir():
        from fas_core.cli.options import require

        require("train", "torch", "safetensors")
    from fas_core.cli.judging import judge_scores, show
    from fas_core.data.source import choose_instead, open_choice
    from fas_core.engine.evaluate import protocol_notes, score_samples
    from fas_core.plugins import registry
    from fas_core.thresholds import parse_policy

    if threshold is not None:
        parse_policy(threshold)  # a mistake here should not wait for the scoring
    candidate = open_candidate(target, registry())
    metrics = judging.bound(candidate.metrics, registry())
    chosen = candidate.data if data is None else choose_instead(data, candidate.data, registry())
    reader = open_choice(chosen, registry())
    if subsets:
        return _judge_subsets(candidate, reader, split, threshold, workers, metrics, judging.replicates)
    table = score_samples(
        candidate.scorer,
        reader.samples(split),
        given=modalities.split(",") if modalities else None,
        workers=workers,
        description=split,
        **candidate.scoring,
    )
    document: dict[str, Any] = {"model": str(target), "split": split, "samples": len(table)}
    if scores is not None:
        table.write(scores)
        document["scores"] = str(scores)
        console.info(f"{len(table)} scores in {scores}")
    if table.is_labelled():
        cut = candidate.threshold(threshold, judged=table)
        judged = judge_scores(table, metrics, cut, judging, name=split, notes=protocol_notes(reader))
        document |= judged.to_json()
        if cut is None:
            console.warn(f"no threshold: {candidate.why}")
        show(judged)
    else:
        console.info(
            f"{len(table)} samples, not all labelled: no table"
            + ("" if scores else "; give --scores OUT.csv")
        )
    if console.json:
        console.document(document)
    return None


def _judge_subsets(
    candidate: Candidate,
    reader: DatasetReader,
    split: str,
    threshold: str | None,
    workers: int,
    metrics: Sequence[BoundMetric],
    replicates: int,
) -> None:
    """A row for each subset of the modalities, all at the candidate's one threshold."""
    from fas_core.engine.evaluate import protocol_notes, score_samples, subsets
    from fas_core.report import judge, tables

    samples = reader.samples(split)
    results = []
    for given in subsets(candidate.modalities):
        name = "+".join(given)
        table = score_samples(
            candidate.scorer, samples, given=given, workers=workers, description=name, **candidate.scoring
        )
        cut = candidate.threshold(threshold, judged=table)
        notes = protocol_notes(reader)
        results.append(judge(table, metrics, cut, name=name, notes=notes, replicates=replicates))
    for drawn in tables(results):
        console.table(drawn)
    if console.json:
        console.document(
            {"model": str(candidate.path), "split": split, "subsets": [r.to_json() for r in results]}
        )
