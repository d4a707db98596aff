"""`fas data frames`: write frames of videos as images."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import output_options, workers_option
from fas_core.console import console
from fas_core.registry import registry

PER_VIDEO = 10


@click.command(
    cls=FasCommand,
    examples="""
        # ten frames of each video
        fas data frames videos frames
        # every fifth frame
        fas data frames videos frames --every 5
        # without loss
        fas data frames videos frames --per-video 3 --format png
    """,
)
@click.argument("src", type=click.Path(path_type=Path))
@click.argument("dst", type=click.Path(path_type=Path, file_okay=False))
@option(
    "--per-video",
    type=click.IntRange(1),
    panel="Frames",
    help=f"Frames of each video, evenly spread; {PER_VIDEO} unless --every is given.",
)
@option(
    "--every",
    type=click.IntRange(1),
    panel="Frames",
    help="Write every n-th frame instead; 1 for all frames.",
)
@option(
    "--format",
    "suffix",
    type=click.Choice(["jpg", "png"]),
    default="jpg",
    show_default=True,
    panel=panels.OUTPUT,
    help="Format of the images; jpg has quality 95.",
)
@workers_option
@output_options
@click.pass_context
def frames(
    ctx: click.Context,
    src: Path,
    dst: Path,
    per_video: int | None,
    every: int | None,
    suffix: str,
    workers: int | None,
) -> None:
    """Write frames of all videos below SRC as images into DST, a folder for each video.

    SRC/a/b.mov becomes DST/a/b/0001.jpg, ...; DST/manifest.csv lists them, and list files of a known layout
    are copied. Run again, the command skips finished videos.

    The exit code is 0, or 1 when a video cannot be read; DST/unreadable.txt lists those.
    """
    from fas_core.data.parallel import cores
    from fas_plugins.commands.data.frames import FrameSettings, extract_frames

    if per_video and every:
        raise click.UsageError("--per-video and --every exclude each other")
    selection = {"every": every} if every else {"per_video": per_video or PER_VIDEO}
    settings = FrameSettings(**selection, format="png" if suffix == "png" else "jpg")
    result = extract_frames(src, dst, settings, workers or cores(), registry())
    if result.left_out:
        console.warn(f"{src}: {result.left_out}")
    for video, reason in result.unreadable.items():
        console.error(f"{src / video}: {reason}")
    console.info(
        f"{dst}: {result.frames} frames of {result.videos} videos ({result.skipped} were done before)"
    )
    if console.json:
        console.document(
            {
                "videos": result.videos,
                "frames": result.frames,
                "kept": result.skipped,
                "unreadable": result.unreadable,
                "notes": [result.left_out] if result.left_out else [],
            }
        )
    if result.unreadable:
        ctx.exit(1)
