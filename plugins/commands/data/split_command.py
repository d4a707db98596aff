"""`fas data split`: divide a data set into train, dev and test."""

from __future__ import annotations

from pathlib import Path

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_dataset
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import FloatRange, output_options
from fas_core.console import console
from fas_core.errors import ConfigError
from fas_plugins.commands.data.source import open_source, set_option

GROUPS = ("subject", "video", "group", "session", "device", "folder", "sample")


@click.command(
    "split",
    cls=FasCommand,
    examples="""
        # by the column subject of a manifest
        fas data split all.csv --by subject -o split.csv
        # by person, who is in the names: photos/live/anna_01.jpg
        fas data split photos --by subject --pattern '/([^/_]+)_' -o split.csv
        # other shares, no dev
        fas data split all.csv --by video --fractions 0.8 0 0.2 -o split.csv
    """,
)
@click.argument("dataset", shell_complete=complete_dataset)
@option(
    "--by",
    type=click.Choice(GROUPS),
    required=True,
    panel="Splits",
    help="What stays in one split: a column of the samples, the folder of an image, or each sample alone.",
)
@option(
    "--pattern",
    metavar="REGEX",
    panel="Splits",
    help="Regular expression with a group, searched in the paths of images, that gives the value of --by.",
)
@option(
    "--fractions",
    nargs=3,
    type=FloatRange(0, 1),
    default=(0.6, 0.2, 0.2),
    show_default=True,
    metavar="TRAIN DEV TEST",
    panel="Splits",
    help="Shares of the samples; 0 leaves a split out.",
)
@option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    panel="Splits",
    help="Seed of the order of groups.",
)
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    panel=panels.OUTPUT,
    help="Manifest to write, e.g. split.csv.",
)
@set_option
@output_options
def split_command(
    dataset: str,
    by: str,
    pattern: str | None,
    fractions: tuple[float, float, float],
    seed: int,
    output: Path,
    sets: tuple[str, ...],
) -> None:
    """Divide the samples of DATASET into train, dev and test, and write them as a manifest.

    The samples of one subject (video, ...) are in one split, and every split has its share of live samples
    and of each species. `fas train --data split.csv` trains on it.
    """
    from fas_core.records.samples import concat
    from fas_plugins.commands.data.split import read_groups, split_samples, write_manifest

    if abs(sum(fractions) - 1) > 1e-6 or not fractions[0]:
        raise ConfigError(
            f"--fractions {' '.join(f'{value:g}' for value in fractions)}: must be 1 together, train > 0"
        )
    if output.suffix.lower() != ".csv":
        raise ConfigError(f"-o {output}: name a .csv file")
    reader = open_source(dataset, sets)
    splits = reader.splits()
    if len(splits) > 1:
        console.warn(f"{dataset} has splits: {', '.join(splits)} are joined and divided anew")
    samples = concat([reader.samples(name) for name in splits])
    result = split_samples(samples, by, read_groups(samples, by, pattern), fractions, seed)
    write_manifest(result.samples, output)
    for note in reader.notes:
        console.info(f"note: {note}")
    console.table(result.table(dataset))
    for warning in result.warnings:
        console.warn(warning)
    console.info(f"{output}: {len(samples)} samples. Next: fas train --data {output}")
    if console.json:
        document = {"manifest": str(output), "by": by, "seed": seed, "splits": result.counts}
        console.document(document | {"warnings": list(result.warnings)})
