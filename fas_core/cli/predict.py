"""`fas predict`: live or attack, for images, folders, videos and cameras."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from fas_core.atomic import replacing
from fas_core.cli.options import output_options, require
from fas_core.console import Table, console
from fas_core.errors import ConfigError

if TYPE_CHECKING:
    from fas_core.engine.run_model import RunModel
    from fas_core.runtime.scoring import Row
    from fas_core.thresholds import Threshold

NOTHING_SCORED, ATTACKED = 1, 3


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--detect", is_flag=True, help="Find the face and cut it out first, as `fas data crop` does.")
@click.option(
    "--faces",
    type=click.Choice(["largest", "all"]),
    default="largest",
    show_default=True,
    help="Which of the faces that are found.",
)
@click.option(
    "--detector", type=click.Path(path_type=Path), metavar="YUNET.onnx", help="Instead of OpenCV's cascade."
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 3),
    default=0.1,
    show_default=True,
    help="Added on each side of a face that was found, as a fraction of it.",
)
@click.option("--threshold", metavar="fixed:VALUE", help="Instead of the model's own.")
@click.option(
    "--foreign",
    type=click.Path(path_type=Path),
    metavar="TERMS.yaml",
    help="What a model is that `fas export` did not write.",
)
@click.option("--every", type=click.IntRange(1), default=1, help="Score each n-th frame of videos.")
@click.option(
    "--frames",
    type=click.IntRange(1),
    help="At most so many frames of each video or camera (of a camera: 1).",
)
@click.option("--csv", "table", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option(
    "--save-annotated",
    "annotated",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write copies with box, score and verdict drawn.",
)
@click.option("--fail-on-attack", is_flag=True, help="Exit with 3 when anything is an attack.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; one per core by default.")
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    inputs: tuple[str, ...],
    detect: bool,
    faces: str,
    detector: Path | None,
    margin: float,
    threshold: str | None,
    foreign: Path | None,
    every: int,
    frames: int | None,
    table: Path | None,
    annotated: Path | None,
    fail_on_attack: bool,
    threads: int | None,
) -> None:
    """Score each INPUT with MODEL, an exported one or a run, and say whether it is live or an attack.

    INPUT is an image, a folder of images and videos, a manifest (CSV or Parquet), a video, or a camera
    (camera:0). Images that differ in their modality only (x_rgb.jpg and x_depth.png, or rgb/x.jpg and
    depth/x.png) are scored together. What cannot be read or has no face is a row with its reason.

    The exit code is 0; 1 when nothing could be scored; with --fail-on-attack 3 when anything is an attack,
    and 1 when anything could not be scored.
    """
    if not detect and (faces != "largest" or detector is not None):
        raise ConfigError("--faces and --detector say how faces are found: give --detect too")
    from fas_core.data.faces import CropSettings
    from fas_core.data.lists import is_image
    from fas_core.data.parallel import cores
    from fas_core.runtime.annotate import refuse_clashes
    from fas_core.runtime.foreign import Foreign
    from fas_core.runtime.inputs import Finder, shots, total
    from fas_core.runtime.predictor import Predictor
    from fas_core.runtime.scoring import Scoring
    from fas_core.thresholds import fit_threshold

    cut = None if threshold is None else fit_threshold(threshold, None)
    workers = threads or cores()
    single = len(inputs) == 1 and is_image(inputs[0])
    is_run = (model / "recipe.yaml").is_file()
    if is_run and foreign is not None:
        raise ConfigError(f"--foreign says what somebody else's model is: {model} is a run")
    # Many shots are scored side by side, each by one thread.
    predictor = Predictor(
        _run(ctx, model, workers if single else 1) if is_run else model,
        threads=workers if single else 1,
        threshold=cut.value if cut else None,
        foreign=None if foreign is None else Foreign.read(foreign),
    )
    found = list(Finder(predictor.card.modalities, every, frames).find(inputs))
    if annotated is not None:
        refuse_clashes(annotated, found)
    crops = CropSettings(detector, margin) if detect else None
    scoring = Scoring(predictor, crops, faces == "all", annotated)
    rows: list[Row] = []
    with console.progress("scoring", total(found)) as bar:
        for done, scored in scoring.rows(shots(found), workers):
            rows += scored
            bar.advance(done)
    if table is not None:
        _write(table, rows)
    accepted = cut or predictor.card.threshold
    assert accepted is not None
    _show(rows, str(model), accepted)
    ctx.exit(_exit_code(rows, fail_on_attack))


def _run(ctx: click.Context, path: Path, threads: int) -> RunModel:
    """The model of a run folder, by torch; so many threads compute each call."""
    require("train", "torch", "safetensors")
    from fas_core.cost import threads_of_torch
    from fas_core.engine.run import Run
    from fas_core.engine.run_model import RunModel
    from fas_core.plugins import registry

    ctx.with_resource(threads_of_torch(threads))
    return RunModel(Run.open(path, registry()))


def _write(path: Path, rows: Sequence[Row]) -> None:
    """As CSV, which `fas score` reads: `id` and `score` among its columns."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "score", "verdict", "threshold", "box", "reason"))
    for row in rows:
        found, box = row.prediction, "" if row.box is None else " ".join(f"{value:.1f}" for value in row.box)
        said = ("", "", "") if found is None else (repr(found.score), found.verdict, repr(found.threshold))
        writer.writerow((row.name, *said, box, row.reason))
    with replacing(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def _show(rows: Sequence[Row], model: str, threshold: Threshold) -> None:
    verdicts = [row.prediction.verdict if row.prediction else "not scored" for row in rows]
    counts = {name: verdicts.count(name) for name in ("live", "attack", "not scored")}
    if console.json:
        document = {"model": model, "threshold": threshold.to_json(), "counts": counts}
        console.document(document | {"rows": [row.to_json() for row in rows]})
        return
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    boxes = any(row.box for row in rows)
    columns = ("input", "score", "verdict", *(("box",) if boxes else ()))
    cells = [_cells(row)[: len(columns)] for row in rows]
    console.table(Table("", columns, cells, f"{said}; {threshold.text()}", left=(0, 2, 3)))


def _cells(row: Row) -> tuple[str, ...]:
    box = "" if row.box is None else " ".join(f"{value:.0f}" for value in row.box)
    if row.prediction is None:
        return row.name, "", f"not scored: {row.reason}", box
    return row.name, f"{row.prediction.score:.4f}", row.prediction.verdict, box


def _exit_code(rows: Sequence[Row], fail_on_attack: bool) -> int:
    found = [row.prediction for row in rows if row.prediction is not None]
    if fail_on_attack and not all(prediction.live for prediction in found):
        return ATTACKED
    return NOTHING_SCORED if not found or (fail_on_attack and len(found) < len(rows)) else 0
