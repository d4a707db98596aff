"""`fas data`: make, check, measure, crop and look at data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from fas_core.cli.options.output import output_options, workers_option
from fas_core.console import Table, console
from fas_core.registry import registry
from fas_plugins.commands.data.frames_command import frames

if TYPE_CHECKING:
    from fas_core.contracts import DatasetReader
    from fas_plugins.commands.data.check import Report

Command = Callable[..., Any]


@click.group()
def command() -> None:
    """Make, check, measure, crop and look at data.

    DATASET is a NAME, NAME:ROOT, a manifest file, or a folder whose layout is recognised.
    """


command.add_command(frames)

set_option = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the data set, e.g. protocol=official.",
)


@command.command()
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET...")
@set_option
@workers_option
@output_options
@click.pass_context
def check(ctx: click.Context, datasets: tuple[str, ...], sets: tuple[str, ...], workers: int | None) -> None:
    """Count, read every image, and look for contradictions and leaks between splits.

    The exit code is 1 when something is wrong.
    """
    from fas_core.data.parallel import cores
    from fas_plugins.commands.data.check import check as check_dataset

    reports = {name: check_dataset(_open(name, sets), workers or cores()) for name in datasets}
    for name, report in reports.items():
        _show_report(name, report)
    if console.json:
        console.document({name: report.to_json() for name, report in reports.items()})
    if any(report.problems for report in reports.values()):
        ctx.exit(1)


@command.command()
@click.argument("dataset")
@click.option("--split", default="train", show_default=True, help="Which samples are measured.")
@click.option("--size", type=click.IntRange(16), default=224, show_default=True, help="Side in pixels.")
@set_option
@workers_option
@output_options
def stats(dataset: str, split: str, size: int, sets: tuple[str, ...], workers: int | None) -> None:
    """Mean and standard deviation per modality, ready to paste into a recipe."""
    from attrs import asdict

    from fas_core.config.load import to_yaml
    from fas_core.data.parallel import cores
    from fas_core.records.model_input import Resize
    from fas_plugins.commands.data.stats import channel_statistics

    samples = _open(dataset, sets).samples(split)
    samples.need(samples.modalities)
    found = channel_statistics(samples, samples.modalities, size, Resize(), workers or cores())
    tree = {"model": {"normalize": {modality: asdict(values) for modality, values in found.items()}}}
    console.info(f"# {len(samples)} {split} samples of {dataset}, in [0, 1]")
    console.info(to_yaml(tree).rstrip())
    if console.json:
        console.document({"data": dataset, "split": split, "samples": len(samples), **tree})


@command.command()
@click.argument("src")
@click.argument("dst", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--margin",
    type=click.FloatRange(0, 3),
    default=0.1,
    show_default=True,
    help="Added on each side of the face, as a fraction of it.",
)
@click.option(
    "--size",
    type=click.IntRange(16, 4096),
    default=256,
    show_default=True,
    help="Side of the crops in pixels.",
)
@click.option(
    "--detector",
    type=click.Path(path_type=Path),
    metavar="YUNET.onnx",
    help="Instead of OpenCV's frontal cascade.",
)
@workers_option
@output_options
def crop(src: str, dst: Path, margin: float, size: int, detector: Path | None, workers: int | None) -> None:
    """Cut the largest face out of each photo of SRC, a data set or a folder of photos, into DST.

    Crops keep names and folders, so that DST is a data set like SRC. What is done is skipped when the
    command is run again. DST/manifest.csv lists the crops, DST/no_face.txt the photos without a face.
    """
    from fas_core.data.faces import CropSettings
    from fas_core.data.parallel import cores
    from fas_plugins.commands.data.crop import crop_source

    done = crop_source(src, dst, CropSettings(detector, margin, size), workers or cores(), registry())
    found = (
        f"{done.crops} crops ({done.kept} photos were done before), {len(done.no_face)} photos without a face"
    )
    console.info(f"{dst}: {found}")
    if console.json:
        console.document({"crops": done.crops, "kept": done.kept, "no_face": done.no_face})


@command.command()
@click.argument("dst", required=False, type=click.Path(path_type=Path, file_okay=False))
@set_option
@output_options
def make(dst: Path | None, sets: tuple[str, ...]) -> None:
    """Write the simulated data set into DST, or where `fas train` looks for it.

    Options are those of `synthetic`: protocol, subjects, shots, size, seed.
    """
    reader = _open("synthetic" if dst is None else f"synthetic:{dst}", sets)
    counts = {split: reader.samples(split).counts() for split in reader.splits()}
    root = reader.samples("train").root
    for split, found in counts.items():
        console.info(f"{split}: " + ", ".join(f"{count} {name}" for name, count in found.items()))
    console.info(str(root))
    if console.json:
        console.document({"root": str(root), "splits": counts})


@command.command()
@click.argument("dataset")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="PNG file."
)
@click.option("--split", help="By default the first there is.")
@click.option(
    "-n", "number", type=click.IntRange(1, 50), default=4, show_default=True, help="Samples of each species."
)
@set_option
@output_options
def show(dataset: str, output: Path, split: str | None, number: int, sets: tuple[str, ...]) -> None:
    """Make a contact sheet: a row for each species, all modalities side by side."""
    from fas_core.data.images import write_image
    from fas_plugins.commands.data.sheet import contact_sheet

    reader = _open(dataset, sets)
    samples = reader.samples(split or reader.splits()[0])
    write_image(output, contact_sheet(samples, samples.modalities, number))
    console.info(f"{output}: {split or reader.splits()[0]} of {dataset}")
    if console.json:
        console.document({"sheet": str(output)})


def _open(dataset: str, sets: tuple[str, ...]) -> DatasetReader:
    from fas_core.config.load import parse_sets
    from fas_core.data.open import open_dataset

    return open_dataset(dataset, parse_sets(sets), registry())


def _show_report(name: str, report: Report) -> None:
    modalities = list(dict.fromkeys(modality for count in report.counts for modality in count.modalities))
    rows = [
        (
            count.split,
            count.label,
            count.species,
            *map(str, (count.samples, *(count.modalities.get(name, 0) for name in modalities))),
        )
        for count in report.counts
    ]
    found = "sound" if not report.problems else f"{len(report.problems)} problems"
    console.table(
        Table(
            f"{name}: {found}",
            ("split", "label", "species", "samples", *modalities),
            rows,
            note=f"{report.files} image files read",
            left=(0, 1, 2),
        )
    )
    for note in report.notes:
        console.info(f"note: {note}")
    for warning in report.warnings:
        console.warn(f"{name}: {warning}")
    for problem in report.problems:
        console.error(f"{name}: {problem}")
