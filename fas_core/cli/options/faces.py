"""Flags that say how faces are detected and which model scores them."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

detector_option = click.option(
    "--detector",
    type=click.Path(path_type=Path),
    metavar="YUNET.onnx",
    help="Face detector to use instead of OpenCV's frontal cascade.",
)

margin_option = click.option(
    "--margin",
    type=click.FloatRange(0, 3),
    default=0.1,
    show_default=True,
    help="Margin added on each side of a detected face, as a fraction of its size.",
)

external_model_option = click.option(
    "--foreign",
    "external",
    type=click.Path(path_type=Path),
    metavar="TERMS.yaml",
    help="Description of a model that `fas export` did not write.",
)

fixed_threshold_option = click.option(
    "--threshold", metavar="fixed:VALUE", help="Threshold to use instead of the model's own."
)
