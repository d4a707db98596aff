"""`fas predict`: live or attack, for images, folders, videos and cameras."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import (
    MODEL,
    Command,
    align_option,
    detector_option,
    device_option,
    external_model_option,
    fixed_reject_option,
    fixed_threshold_option,
    margin_option,
    output_options,
)
from fas_core.cli.part_options import engine_options
from fas_core.cli.views import show_parts, show_verdicts
from fas_core.errors import ConfigError
from fas_core.quick_start import importing, skip_last_collection

if TYPE_CHECKING:
    from fas_core.cli.part_options import ChosenEngine
    from fas_core.inference.predict_inputs import PredictOptions
    from fas_core.runtime.prediction import FaceResult

NOTHING_SCORED, ATTACKED = 1, 3
FOLDER = click.Path(path_type=Path, file_okay=False)


def predict_options(command: Command) -> Command:
    """Give a command the flags that say which images are scored and how, as one argument `options`."""
    crops, limits = ("detector", "margin", "align"), ("every", "frames", "detect_every", "threads", "device")
    scoring = (*crops, "threshold", "reject", "external", *limits)

    @option(
        "--detect/--no-detect",
        default=None,
        panel=panels.FACES,
        help="Crop every image to its face, or take all as they are. By default images that their face "
        "fills, or whose data set is cropped, are taken as they are, and all others are cropped.",
    )
    @option(
        "--faces",
        type=click.Choice(["largest", "all"]),
        default="largest",
        show_default=True,
        panel=panels.FACES,
        help="Detected faces to score.",
    )
    @detector_option
    @margin_option
    @align_option
    @fixed_threshold_option
    @fixed_reject_option
    @external_model_option
    @option(
        "--every", type=click.IntRange(1), default=1, panel="Videos", help="Score each n-th frame of videos."
    )
    @option(
        "--frames",
        type=click.IntRange(1),
        panel="Videos",
        help="Largest number of frames scored of each video or camera; of a camera, 1 by default.",
    )
    @option(
        "--detect-every",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        panel="Videos",
        help="Detect faces in each n-th scored frame of a video, and follow them between.",
    )
    @option(
        "--threads",
        type=click.IntRange(1),
        panel=panels.MACHINE,
        help="CPU threads; by default one per core.",
    )
    @device_option
    @functools.wraps(command)
    def wrapped(*args: Any, detect: bool | None, faces: str, **kwargs: Any) -> Any:
        with importing():
            from fas_core.inference.predict_inputs import PredictOptions

        values = {name: kwargs.pop(name) for name in scoring}
        detection = values["detector"] is not None or values["align"] or values["detect_every"] > 1
        if detect is False and (faces != "largest" or detection):
            flags = "--faces, --detector, --align and --detect-every"
            raise ConfigError(f"{flags} are about detection: leave --no-detect out")
        options = PredictOptions(detect, all_faces=faces == "all", **values)
        return command(*args, options=options, **kwargs)

    return wrapped


@click.command(
    cls=FasCommand,
    examples="""
        # one photo
        fas predict model.onnx photo.jpg
        # a folder of videos: a verdict for each, and the scores in a file
        fas predict model.onnx videos --aggregate video --csv scores.csv
        # the first camera, with box and verdict drawn
        fas predict model.onnx camera:0 --frames 100 --save-annotated drawn
    """,
)
@click.argument("model", type=MODEL, metavar="RUN|MODEL.onnx|public:NAME")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@predict_options
@option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    panel=panels.OUTPUT,
    help="Score file to write, which `fas score` and `fas drift` read.",
)
@option(
    "--save-annotated",
    "annotated",
    type=FOLDER,
    metavar="DIR",
    panel=panels.OUTPUT,
    help="Write copies with box, score and verdict drawn.",
)
@option(
    "--annotated-video",
    "videos",
    is_flag=True,
    panel=panels.OUTPUT,
    help="With --save-annotated: of a video write a video (.mp4), not a picture of each frame.",
)
@option(
    "--explain",
    "explained",
    type=FOLDER,
    metavar="DIR",
    panel=panels.OUTPUT,
    help="Write pictures of what the model looks at, as `fas explain` does.",
)
@option(
    "--aggregate",
    metavar="video|track[:VOTE]",
    panel=panels.VERDICTS,
    help="One verdict for each video, or for each face followed in it, instead of each frame; VOTE is mean, "
    "median, min, max or lfv of their scores.",
)
@option(
    "--fail-on-attack",
    is_flag=True,
    panel=panels.OUTPUT,
    help="Exit with 3 when anything is an attack or uncertain.",
)
@engine_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    inputs: tuple[str, ...],
    options: PredictOptions,
    table: Path | None,
    annotated: Path | None,
    videos: bool,
    explained: Path | None,
    aggregate: str | None,
    fail_on_attack: bool,
    engine: ChosenEngine | None,
) -> None:
    """Score each INPUT with MODEL, an exported one or a run, and say whether it is live or an attack.

    Where the model or --reject has a band of uncertain scores, the verdict on these is `uncertain`.

    INPUT is an image, a folder of images and videos, a manifest (CSV or Parquet), a video, a camera
    (camera:0) or a stream (rtsp://..., http://...). Images that differ in their modality only (x_rgb.jpg and
    x_depth.png, or rgb/x.jpg and depth/x.png) are scored together. What cannot be read or has no face is a
    row with its reason.

    With --engine the one INPUT is a manifest of any length, whose photos may be URLs; docs/ray.md says more.

    The exit code is 0; 1 when nothing could be scored; with --fail-on-attack 3 when anything is an attack
    or uncertain, and 1 when anything could not be scored. With --aggregate the verdicts on videos count.
    """
    if explained is not None and annotated is not None and explained.resolve() == annotated.resolve():
        raise ConfigError("--explain and --save-annotated would write the same files: give two folders")
    if videos and annotated is None:
        raise ConfigError("--annotated-video says what --save-annotated DIR writes: give it, too")
    if engine is not None:
        if table or annotated or explained or aggregate:
            flags = "--csv, --save-annotated, --explain and --aggregate"
            raise ConfigError(f"--engine writes parts alone: leave {flags} out")
        ctx.exit(_predict_parts(model, inputs, options, engine, fail_on_attack))
    from fas_core.inference.predict_inputs import PictureOptions, predict_inputs

    skip_last_collection()
    pictures = PictureOptions(annotated, explained, videos=videos)
    verdicts = predict_inputs(model, inputs, options, pictures, aggregate)
    if table is not None:
        _write_csv(table, verdicts.rows)
    show_verdicts(model, verdicts, pictures=explained is not None)
    predictions = [row.prediction for row in verdicts.rows if row.prediction is not None]
    live = sum(prediction.live is True for prediction in predictions)
    ctx.exit(_exit_code(len(verdicts.rows), len(predictions), live, fail_on_attack))


def _predict_parts(
    model: Path, inputs: tuple[str, ...], options: PredictOptions, engine: ChosenEngine, fail_on_attack: bool
) -> int:
    """Score a manifest by an engine, print the counts, and return the exit code."""
    from fas_core.inference.predict_parts import NOT_SCORED, predict_parts

    verdicts = predict_parts(model, inputs, options, engine.options, engine.run)
    show_parts(model, verdicts)
    rows = sum(verdicts.counts.values())
    return _exit_code(rows, rows - verdicts.counts[NOT_SCORED], verdicts.counts["live"], fail_on_attack)


def _write_csv(path: Path, rows: Sequence[FaceResult]) -> None:
    """Write the CSV file that `fas score` reads: `id` and `score` are among its columns."""
    import csv

    from fas_core.atomic import write_text

    text, cells = StringIO(), [row.to_row() for row in rows]
    columns = dict.fromkeys(name for row in cells for name in row)  # those of videos are further ones
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    write_text(path, text.getvalue())


def _exit_code(rows: int, scored: int, live: int, fail_on_attack: bool) -> int:
    """Return the exit code of so many results, of which so many have a score and are live."""
    if fail_on_attack and live < scored:
        return ATTACKED
    return NOTHING_SCORED if not scored or (fail_on_attack and scored < rows) else 0
