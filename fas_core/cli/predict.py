"""`fas predict`: live or attack, for images, folders, videos and cameras."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from fas_core.atomic import replacing
from fas_core.cli.options.output import output_options
from fas_core.cli.options.predict import predict_options
from fas_core.cli.views.verdicts import show_verdicts
from fas_core.errors import ConfigError

if TYPE_CHECKING:
    from fas_core.inference.predict_inputs import PredictOptions
    from fas_core.runtime.predictor import FaceResult

NOTHING_SCORED, ATTACKED = 1, 3


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@predict_options
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Score file to write, which `fas score` and `fas drift` read.",
)
@click.option(
    "--save-annotated",
    "annotated",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write copies with box, score and verdict drawn.",
)
@click.option(
    "--explain",
    "explained",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write pictures of what the model looks at, as `fas explain` does.",
)
@click.option("--fail-on-attack", is_flag=True, help="Exit with 3 when anything is an attack.")
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    inputs: tuple[str, ...],
    options: PredictOptions,
    table: Path | None,
    annotated: Path | None,
    explained: Path | None,
    fail_on_attack: bool,
) -> None:
    """Score each INPUT with MODEL, an exported one or a run, and say whether it is live or an attack.

    INPUT is an image, a folder of images and videos, a manifest (CSV or Parquet), a video, or a camera
    (camera:0). Images that differ in their modality only (x_rgb.jpg and x_depth.png, or rgb/x.jpg and
    depth/x.png) are scored together. What cannot be read or has no face is a row with its reason.

    The exit code is 0; 1 when nothing could be scored; with --fail-on-attack 3 when anything is an attack,
    and 1 when anything could not be scored.
    """
    if explained is not None and annotated is not None and explained.resolve() == annotated.resolve():
        raise ConfigError("--explain and --save-annotated would write the same files: give two folders")
    from fas_core.inference.predict_inputs import PictureOptions, predict_inputs

    verdicts = predict_inputs(model, inputs, options, PictureOptions(annotated, explained))
    if table is not None:
        _write_csv(table, verdicts.rows)
    show_verdicts(model, verdicts, pictures=explained is not None)
    ctx.exit(_exit_code(verdicts.rows, fail_on_attack))


def _write_csv(path: Path, rows: Sequence[FaceResult]) -> None:
    """Write the CSV file that `fas score` reads: `id` and `score` are among its columns."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "score", "verdict", "threshold", "box", "reason"))
    for row in rows:
        result, box = row.prediction, "" if row.box is None else " ".join(f"{value:.1f}" for value in row.box)
        cells = (
            ("", "", "") if result is None else (repr(result.score), result.verdict, repr(result.threshold))
        )
        writer.writerow((row.name, *cells, box, row.reason))
    with replacing(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def _exit_code(rows: Sequence[FaceResult], fail_on_attack: bool) -> int:
    predictions = [row.prediction for row in rows if row.prediction is not None]
    if fail_on_attack and not all(prediction.live for prediction in predictions):
        return ATTACKED
    return NOTHING_SCORED if not predictions or (fail_on_attack and len(predictions) < len(rows)) else 0
