"""`fas data`: make, check, measure, crop and look at data."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_dataset
from fas_core.cli.command import option
from fas_core.cli.group import CommandGroup
from fas_core.cli.options import output_options, workers_option
from fas_core.console import console
from fas_core.errors import FasError
from fas_plugins.commands.data.crop_command import crop
from fas_plugins.commands.data.frames_command import frames
from fas_plugins.commands.data.source import open_source, set_option
from fas_plugins.commands.data.split_command import split_command


@click.group(
    cls=CommandGroup,
    prefix="data ",
    examples="""
        # what is wrong with a data set
        fas data check faces
        # faces of photos
        fas data crop photos faces
        # train, dev and test that share no person
        fas data split all.csv --by subject -o split.csv
    """,
)
def command() -> None:
    """Make, check, measure, crop and look at data.

    DATASET is a NAME, NAME:ROOT, a manifest file, or a folder whose layout is recognised.
    """


command.add_command(crop)
command.add_command(frames)
command.add_command(split_command)


@command.command(
    examples="""
        # a folder of faces
        fas data check faces
        # a data set in its own layout
        fas data check casia_surf:CASIA-SURF
        # write digests, by which --verify finds files that have changed
        fas data check faces --write-digests
    """,
)
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET...", shell_complete=complete_dataset)
@option(
    "--write-digests",
    is_flag=True,
    panel="Digests",
    help="Write the SHA-256 of every file to DATASET/SHA256SUMS, of a manifest to MANIFEST.sha256; "
    "do not check.",
)
@option(
    "--verify",
    is_flag=True,
    panel="Digests",
    help="Compare every file with these digests only; faster than the full check.",
)
@set_option
@workers_option
@output_options
@click.pass_context
def check(
    ctx: click.Context,
    datasets: tuple[str, ...],
    write_digests: bool,
    verify: bool,
    sets: tuple[str, ...],
    workers: int | None,
) -> None:
    """Count samples, read every image, and look for contradictions and leaks between splits.

    The exit code is 0, or 1 when there are problems.
    """
    from fas_core.data.dataset_check import inspect_dataset
    from fas_core.data.parallel import cores

    if write_digests and verify:
        raise FasError("--write-digests and --verify: give one of them")
    if write_digests or verify:
        _use_digests(ctx, datasets, sets, workers or cores(), write=write_digests)
        return
    checks = {name: inspect_dataset(open_source(name, sets), workers or cores()) for name in datasets}
    for name, result in checks.items():
        console.table(result.table(name))
        for note in result.notes:
            console.info(f"note: {note}")
        for warning in result.warnings:
            console.warn(f"{name}: {warning}")
        for problem in result.problems:
            console.error(problem if problem.startswith(f"{name}") else f"{name}: {problem}")
    if console.json:
        console.document({name: result.to_json() for name, result in checks.items()})
    if any(result.problems for result in checks.values()):
        ctx.exit(1)


def _use_digests(
    ctx: click.Context, datasets: tuple[str, ...], sets: tuple[str, ...], workers: int, *, write: bool
) -> None:
    """Write the digests of each data set, or verify its files by them."""
    from fas_plugins.commands.data.digests import verify_digests, write_dataset_digests

    document: dict[str, object] = {}
    for name in datasets:
        if write:
            file, count = write_dataset_digests(name, sets, workers)
            console.info(f"{file}: digests of {count} files; verify them by `fas data check {name} --verify`")
            document[name] = {"digests": str(file), "files": count}
            continue
        result = verify_digests(name, sets, workers)
        for problem in result.problems:
            console.error(problem)
        console.result(f"{name}: {result.files - len(result.problems)} of {result.files} files are unchanged")
        document[name] = {"ok": not result.problems, "files": result.files, "problems": result.problems}
    if console.json:
        console.document(document)
    if not all(entry.get("ok", True) for entry in document.values() if isinstance(entry, dict)):
        ctx.exit(1)


@command.command(
    examples="""
        # the train split
        fas data stats faces
        # as the model sees it, at 112 pixels
        fas data stats casia_surf:CASIA-SURF --size 112
        # for a program
        fas data stats faces --json
    """,
)
@click.argument("dataset", shell_complete=complete_dataset)
@option("--split", default="train", show_default=True, panel=panels.DATA, help="Split to measure.")
@option(
    "--size",
    type=click.IntRange(16),
    default=224,
    show_default=True,
    panel=panels.DATA,
    help="Side in pixels to which images are resized first.",
)
@set_option
@workers_option
@output_options
def stats(dataset: str, split: str, size: int, sets: tuple[str, ...], workers: int | None) -> None:
    """Print mean and standard deviation of each modality, ready to paste into a recipe."""
    from attrs import asdict

    from fas_core.config.load import to_yaml
    from fas_core.data.parallel import cores
    from fas_core.records.model_input import Resize
    from fas_plugins.commands.data.stats import measure_channels

    reader = open_source(dataset, sets)
    samples = reader.samples(split)
    samples.need(samples.modalities)
    for note in reader.notes:
        console.warn(f"{dataset}: {note}")
    statistics = measure_channels(samples, samples.modalities, size, Resize(), workers or cores())
    tree = {"model": {"normalize": {modality: asdict(values) for modality, values in statistics.items()}}}
    console.result(f"# {len(samples)} {split} samples of {dataset}, in [0, 1]")
    console.lines(to_yaml(tree).rstrip())
    if console.json:
        console.document({"data": dataset, "split": split, "samples": len(samples), **tree})


@command.command(
    examples="""
        # where `fas train` looks for it
        fas data make
        # in a folder of one's own
        fas data make simulated
        # with more people and another seed
        fas data make simulated --set subjects=60 --set seed=15
    """,
)
@click.argument("dst", required=False, type=click.Path(path_type=Path, file_okay=False))
@set_option
@output_options
def make(dst: Path | None, sets: tuple[str, ...]) -> None:
    """Write the simulated data set into DST, by default where `fas train` looks for it.

    Its options are those of `synthetic`: protocol, subjects, shots, size, seed.
    """
    reader = open_source("synthetic" if dst is None else f"synthetic:{dst}", sets)
    counts = {split: reader.samples(split).counts() for split in reader.splits()}
    root = reader.samples("train").root
    for split, classes in counts.items():
        console.result(f"{split}: " + ", ".join(f"{count} {name}" for name, count in classes.items()))
    console.result(str(root))
    if console.json:
        console.document({"root": str(root), "splits": counts})


@command.command(
    examples="""
        # the first split
        fas data show faces -o sheet.png
        # simulated faces
        fas data show synthetic -o sheet.png
        # ten test samples of each species
        fas data show faces -o sheet.png --split test -n 10
    """,
)
@click.argument("dataset", shell_complete=complete_dataset)
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    panel=panels.OUTPUT,
    help="Image file to write, e.g. sheet.png.",
)
@option("--split", panel=panels.DATA, help="Split to show; by default the data set's first one.")
@option(
    "-n",
    "number",
    type=click.IntRange(1, 50),
    default=4,
    show_default=True,
    panel=panels.DATA,
    help="Samples of each species.",
)
@set_option
@output_options
def show(dataset: str, output: Path, split: str | None, number: int, sets: tuple[str, ...]) -> None:
    """Draw a contact sheet: a row for each species, all modalities side by side."""
    from fas_core.data.images import write_image
    from fas_plugins.commands.data.sheet import draw_contact_sheet

    reader = open_source(dataset, sets)
    split = split or reader.splits()[0]
    samples = reader.samples(split)
    for note in reader.notes:
        console.warn(f"{dataset}: {note}")
    write_image(output, draw_contact_sheet(samples, samples.modalities, number))
    console.info(f"{output}: {split} of {dataset}")
    if console.json:
        console.document({"sheet": str(output)})
