"""`fas data`: make, check, measure, crop and look at data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from fas_core.cli.options import output_options
from fas_core.console import console
from fas_core.plugins import registry

Command = Callable[..., Any]


@click.group()
def command() -> None:
    """Make, check, measure, crop and look at data.

    DATASET is a NAME, NAME:ROOT, a manifest file, or a folder whose layout is recognised.
    """


def _workers(command: Command) -> Command:
    from fas_core.data.parallel import cores

    return click.option(
        "-j", "--workers", type=click.IntRange(0), default=cores, show_default="cores", help="Threads."
    )(command)


@command.command()
@click.argument("src")
@click.argument("dst", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--margin",
    type=float,
    default=0.1,
    show_default=True,
    help="Added on each side of the face, as a fraction of it.",
)
@click.option("--size", type=int, default=256, show_default=True, help="Side of the crops in pixels.")
@click.option(
    "--detector",
    type=click.Path(path_type=Path),
    help="A YuNet .onnx file instead of OpenCV's frontal cascade.",
)
@_workers
@output_options
def crop(src: str, dst: Path, margin: float, size: int, detector: Path | None, workers: int) -> None:
    """Cut the largest face out of each photo of SRC, a data set or a folder of photos, into DST.

    Crops keep names and folders, so that DST is a root like SRC. What is done is skipped when the
    command is run again. DST/manifest.csv lists the crops, DST/no_face.txt the photos without a face.
    """
    from fas_core.data.crop import CropSettings, crop_source

    done = crop_source(src, dst, CropSettings(detector, margin, size), workers, registry())
    if console.json:
        console.document({"crops": done.crops, "kept": done.kept, "no_face": list(done.no_face)})
    console.info(
        f"{dst}: {done.crops} crops ({done.kept} were there), {len(done.no_face)} photos without a face"
    )
