"""`fas data frames`: images of videos."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from fas_core.cli.options.output import output_options, workers_option
from fas_core.console import console
from fas_core.registry import registry

PER_VIDEO = 10


@click.command()
@click.argument("src", type=click.Path(path_type=Path))
@click.argument("dst", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--per-video",
    type=click.IntRange(1),
    help=f"That many of each, evenly spread; {PER_VIDEO} where --every is not given either.",
)
@click.option("--every", type=click.IntRange(1), help="Each n-th frame instead; 1 for all.")
@click.option("--format", "suffix", type=click.Choice(["jpg", "png"]), default="jpg", show_default=True)
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
    """Write frames of all videos below SRC as images into DST, a folder a video.

    SRC/a/b.mov becomes DST/a/b/0001.jpg, ...; DST/manifest.csv lists them, and list files of a known layout
    are copied along. What is done is skipped when the command is run again. Videos that cannot be read are
    listed in DST/unreadable.txt, and the exit code is 1.
    """
    from fas_core.data.parallel import cores
    from fas_plugins.commands.data.frames import FrameSettings, extract

    if per_video and every:
        raise click.UsageError("--per-video and --every exclude each other")
    chosen = {"every": every} if every else {"per_video": per_video or PER_VIDEO}
    settings = FrameSettings(**chosen, format="png" if suffix == "png" else "jpg")
    done = extract(src, dst, settings, workers or cores(), registry())
    for video, why in done.unreadable.items():
        console.error(f"{src / video}: {why}")
    console.info(f"{dst}: {done.frames} frames of {done.videos} videos ({done.kept} were done before)")
    if console.json:
        console.document(
            {
                "videos": done.videos,
                "frames": done.frames,
                "kept": done.kept,
                "unreadable": done.unreadable,
            }
        )
    if done.unreadable:
        ctx.exit(1)
