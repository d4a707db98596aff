"""How `fas predict` and `fas explain` show what was said of each input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fas_core.console import Table, console

if TYPE_CHECKING:
    from fas_core.cli.options.predicting import Verdicts
    from fas_core.runtime.results import FaceResult

NEEDS_RUN = "occlusion only: Grad-CAM takes gradients, so give the run instead of the file (needs torch)"


def show(model: Path, found: Verdicts, pictures: bool) -> None:
    """The table, or the document of `--json`.

    Args:
        pictures: whether any were asked for; then the rows name their files.
    """
    counts = _counts(found)
    if console.json:
        document = {"model": str(model), "threshold": found.threshold.to_json(), "counts": counts}
        maps = {"maps": [*(["grad_cam"] if found.grad_cam else []), "occlusion"]} if pictures else {}
        console.document(document | maps | {"rows": [_json(row, pictures) for row in found.rows]})
        return
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    boxes = any(row.box for row in found.rows)
    columns = ("input", "score", "verdict", *(("box",) if boxes else ()), *(("picture",) if pictures else ()))
    cells = [_cells(row, boxes, pictures) for row in found.rows]
    console.table(Table("", columns, cells, f"{said}; {found.threshold.text()}", left=(0, 2, 3, 4)))
    if pictures and not found.grad_cam:
        console.info(NEEDS_RUN)


def _counts(found: Verdicts) -> dict[str, int]:
    verdicts = [row.prediction.verdict if row.prediction else "not scored" for row in found.rows]
    return {name: verdicts.count(name) for name in ("live", "attack", "not scored")}


def _json(row: FaceResult, pictures: bool) -> dict[str, Any]:
    named = {"picture": None if row.picture is None else str(row.picture)} if pictures else {}
    return row.to_json() | named


def _cells(row: FaceResult, boxes: bool, pictures: bool) -> tuple[str, ...]:
    """The reason of what has no score stands where its picture would."""
    found = row.prediction
    score = "" if found is None else f"{found.score:.4f}"
    unscored = "not scored" if pictures else f"not scored: {row.reason}"
    verdict = unscored if found is None else found.verdict
    box = "" if row.box is None else " ".join(f"{value:.0f}" for value in row.box)
    picture = row.reason if row.picture is None else str(row.picture)
    return row.name, score, verdict, *((box,) if boxes else ()), *((picture,) if pictures else ())
