"""How several commands print results: the figures of scores, and the verdict on each input."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fas_core.console import console
from fas_core.text_table import Styled, Table

if TYPE_CHECKING:
    from fas_core.evaluation import Result
    from fas_core.evaluation.groups import GroupedResult
    from fas_core.inference.parts import FinishedParts
    from fas_core.inference.predict_inputs import Verdicts
    from fas_core.inference.predict_parts import PartVerdicts
    from fas_core.runtime.prediction import FaceResult

VERDICT_STYLES = {"live": "green", "attack": "red", "uncertain": "yellow"}

NEEDS_RUN = "occlusion only: Grad-CAM takes gradients, so give the run instead of the file (needs torch)"


def show_result(grouped: GroupedResult) -> None:
    """Print the tables, the histogram of the scores, and the errors in plain words."""
    from fas_core.evaluation import text_histogram

    for table in grouped.tables():
        console.table(table)
    histogram = text_histogram(
        grouped.scores.rates,
        grouped.result.threshold,
        name=grouped.result.name,
        width=console.width,
        blocks=console.blocks,
    )
    if histogram is not None:
        console.table(histogram)
    show_summaries([grouped.result])


def show_summaries(results: Iterable[Result]) -> None:
    """Print one sentence about the errors of each result, and warnings where a model is of no use."""
    for result in results:
        console.result(result.summary)
        for warning in result.warnings:
            console.warn(warning)


def show_verdicts(model: Path, verdicts: Verdicts, pictures: bool) -> None:
    """Print the table, or the document of `--json`; with `pictures` the rows name their explanations."""
    from fas_core.data.detectors import advise_on
    from fas_core.runtime.prediction import NOVEL

    if verdicts.note is not None:
        console.warn(verdicts.note)
    counts = _count(verdicts)
    novel = sum(row.prediction is not None and row.prediction.is_novel for row in verdicts.rows)
    if novel:
        console.warn(f"{novel} of {len(verdicts.rows)} are {NOVEL}")
    if console.json:
        document = {
            "model": str(model),
            "threshold": verdicts.threshold.to_json(),
            "detector": verdicts.detector,
            "device": verdicts.device,
            "note": verdicts.note,
            "novelty": None if verdicts.novelty is None else verdicts.novelty.to_json(),
            "counts": counts,
        }
        document |= {} if verdicts.aggregate is None else {"aggregate": verdicts.aggregate}
        maps = {"maps": [*(["grad_cam"] if verdicts.grad_cam else []), "occlusion"]} if pictures else {}
        console.document(document | maps | {"rows": [_to_json(row, pictures) for row in verdicts.rows]})
        return
    summary = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    columns = ["input", "score", "verdict"]
    columns += ["box"] if any(row.box for row in verdicts.rows) else []
    columns += ["track"] if any((row.track or 1) > 1 for row in verdicts.rows) else []
    columns += ["frames"] if any(row.frames for row in verdicts.rows) else []
    columns += ["picture"] if pictures else []
    cells = [[_cell(row, name, pictures) for name in columns] for row in verdicts.rows]
    left = [index for index, name in enumerate(columns) if name not in ("score", "track", "frames")]
    detected = "" if verdicts.detector is None else f"; faces detected by {verdicts.detector}"
    novelty = "" if verdicts.novelty is None else f"; {verdicts.novelty.text()}"
    device = "" if verdicts.device == "cpu" else f"; run on {verdicts.device}"
    note = f"{summary}; {_describe_votes(verdicts)}{verdicts.threshold.text()}{novelty}{detected}{device}"
    console.table(Table("", columns, cells, note, left))
    if advice := advise_on(verdicts.detector):
        console.info(advice)
    if pictures and not verdicts.grad_cam:
        console.info(NEEDS_RUN)


def show_parts(model: Path, verdicts: PartVerdicts) -> None:
    """Print the counts of a manifest's verdicts and where the parts are, or the document of `--json`."""
    if verdicts.note is not None:
        console.warn(verdicts.note)
    finished, counts = verdicts.finished, verdicts.counts
    if console.json:
        document = {"model": str(model), "threshold": verdicts.threshold.to_json(), "note": verdicts.note}
        folder = {"into": str(finished.folder), "parts": finished.folder.count, "kept": finished.from_before}
        console.document(document | {"counts": counts, "samples": finished.samples} | folder)
        return
    summary = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    console.result(f"{summary}; {verdicts.threshold.text()}")
    console.result(describe_parts(finished))


def describe_parts(finished: FinishedParts) -> str:
    """Return where the parts of a job are, and how many were there before."""
    count = f"{finished.folder.count} part{'s' if finished.folder.count > 1 else ''}"
    before = f", {finished.from_before} of them from before" if finished.from_before else ""
    return f"{finished.samples} samples in {count}{before}: {finished.folder}"


def _count(verdicts: Verdicts) -> dict[str, int]:
    from fas_core.runtime.prediction import VERDICTS

    names = [row.prediction.verdict if row.prediction else "not scored" for row in verdicts.rows]
    return {name: names.count(name) for name in (*VERDICTS.values(), "not scored")}


def _to_json(row: FaceResult, pictures: bool) -> dict[str, Any]:
    picture = None if row.picture is None else str(row.picture)
    return row.to_json() | ({"picture": picture} if pictures else {})


def _describe_votes(verdicts: Verdicts) -> str:
    if verdicts.aggregate is None:
        return ""
    unit, _, vote = verdicts.aggregate.partition(":")
    return f"by the {vote} of each {unit}'s scores; "


def _cell(row: FaceResult, column: str, pictures: bool) -> str:
    """The reason why an input has no score is in the column of its picture, where there is one."""
    prediction = row.prediction
    match column:
        case "input":
            return row.name
        case "score":
            return "" if prediction is None else f"{prediction.score:.4f}"
        case "verdict":
            unscored = "not scored" if pictures else f"not scored: {row.reason}"
            if prediction is None:
                return Styled(unscored, "dim")
            novel = ", novel" if prediction.is_novel else ""
            return Styled(f"{prediction.verdict}{novel}", VERDICT_STYLES[prediction.verdict])
        case "box":
            return "" if row.box is None else " ".join(f"{value:.0f}" for value in row.box)
        case "track":
            return "" if row.track is None else str(row.track)
        case "frames":
            return "" if row.frames is None else f"{row.frames.scored} of {row.frames.read}"
        case _:
            return row.reason if row.picture is None else str(row.picture)
