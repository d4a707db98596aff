"""`fas data crop`: crop photos to their faces, in this process or by an engine."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_dataset
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import align_option, detector_option, margin_option, output_options
from fas_core.cli.part_options import ROWS, engine_option, load_engine, part_rows_option
from fas_core.console import console
from fas_core.errors import ConfigError
from fas_core.registry import registry


@click.command(
    cls=FasCommand,
    examples="""
        # the largest face of each photo
        fas data crop photos faces
        # as NUAA is cropped for its recipe
        fas data crop NUAA nuaa-crops --size 256 --margin 0.1
        # eyes level, by CenterFace
        fas data crop photos faces --detector centerface --align
    """,
)
@click.argument("src", shell_complete=complete_dataset)
@click.argument("dst", type=click.Path(path_type=Path, file_okay=False))
@margin_option
@option(
    "--size",
    type=click.IntRange(16, 4096),
    default=256,
    show_default=True,
    panel=panels.FACES,
    help="Side of the crops in pixels.",
)
@detector_option
@align_option
@option(
    "-j",
    "--workers",
    type=click.IntRange(1),
    panel=panels.MACHINE,
    help="Threads that crop; with --engine processes, each with one CPU. By default one per core.",
)
@engine_option
@part_rows_option
@output_options
@click.pass_context
def crop(
    ctx: click.Context,
    src: str,
    dst: Path,
    margin: float | None,
    size: int,
    detector: str | None,
    align: bool,
    workers: int | None,
    name: str | None,
    part_rows: int,
) -> None:
    """Crop the largest face of each photo of SRC, a data set or a folder of photos, into DST.

    Crops keep the photos' names and folders, so that DST is a data set like SRC. Run again, the command
    skips finished photos. DST/manifest.csv lists the crops, DST/no_face.txt the photos without a face.
    With --engine all machines share DST; docs/ray.md says more.

    The exit code is 0, or 1 when a photo cannot be read; DST/unreadable.txt lists those.
    """
    from fas_core.data.detectors import advise_on
    from fas_core.data.faces import CropSettings
    from fas_core.data.parallel import cores
    from fas_plugins.commands.data.crop import crop_source
    from fas_plugins.commands.data.crop_parts import CropParts

    if name is None and part_rows != ROWS:
        raise ConfigError("--part-rows belongs to --engine: give --engine ray")
    settings = CropSettings(size=size).replace(detector=detector, margin=margin, align=align)
    parts = None if name is None else CropParts(load_engine(), part_rows, workers)
    result = crop_source(src, dst, settings, workers or cores(), registry(), parts)
    for note in result.notes:
        console.warn(f"{src}: {note}")
    for reason in result.unreadable.values():
        console.error(reason)
    skipped = f"{result.skipped} photos were done before"
    console.info(
        f"{dst}: {result.crops} crops ({skipped}), {len(result.no_face)} photos without a face, "
        f"by {result.detector}"
    )
    if advice := advise_on(result.detector):
        console.info(advice)
    if console.json:
        counts = {"crops": result.crops, "kept": result.skipped, "no_face": result.no_face}
        further = {"unreadable": result.unreadable, "notes": result.notes, "detector": result.detector}
        console.document(counts | further)
    if result.unreadable:
        ctx.exit(1)
