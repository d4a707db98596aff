"""`fas explain`: which pixels decided a model's score, as a picture of each input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import MODEL, FloatRange, output_options
from fas_core.cli.predict import predict_options
from fas_core.cli.views import show_verdicts

if TYPE_CHECKING:
    from fas_core.inference.predict_inputs import PredictOptions

NOTHING_SCORED = 1


@click.command(
    cls=FasCommand,
    examples="""
        # one photo, by an exported model
        fas explain model.onnx photo.jpg
        # a folder of crops, with Grad-CAM, which needs the run
        fas explain runs/rgb faces --no-detect -o pictures
        # finer occlusion maps
        fas explain model.onnx photo.jpg --square 0.1
    """,
)
@click.argument("model", type=MODEL, metavar="RUN|MODEL.onnx|public:NAME")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("explained"),
    show_default=True,
    panel=panels.OUTPUT,
    help="Folder to write the pictures to.",
)
@option(
    "--square",
    type=FloatRange(0, 1, min_open=True),
    panel=panels.OUTPUT,
    help="Side of the square that covers part of the face for the occlusion map, as a fraction of the face's "
    "side; 0.25 by default.",
)
@predict_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    model: Path,
    inputs: tuple[str, ...],
    output: Path,
    square: float | None,
    options: PredictOptions,
) -> None:
    """Write a PNG for each INPUT that shows which regions of the face decided the score.

    Each modality is a row: the face, Grad-CAM over it (for a RUN; needs torch), and the occlusion map, which
    shows how much the score falls where a square covers the face. Blue regions speak for live, orange ones
    for attack. Inputs are named as for `fas predict`.

    The exit code is 0, or 1 when no input could be scored.
    """
    from fas_core.inference.predict_inputs import PictureOptions, predict_inputs

    pictures = PictureOptions(explained=output, square=square)
    verdicts = predict_inputs(model, inputs, options, pictures)
    show_verdicts(model, verdicts, pictures=True)
    ctx.exit(0 if any(row.prediction for row in verdicts.rows) else NOTHING_SCORED)
