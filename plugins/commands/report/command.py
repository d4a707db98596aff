"""`fas report`: write runs and score files as one HTML file, and its plots as image files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fas_core.cli import panels
from fas_core.cli.candidates import complete_dataset, complete_run
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import (
    metric_option,
    output_options,
    reject_option,
    replicates_option,
    threshold_option,
)
from fas_core.cli.reading_options import reading_options
from fas_core.cli.views import show_summaries
from fas_core.console import console

if TYPE_CHECKING:
    from fas_core.scores.files import Reading
    from fas_plugins.commands.report.html import PlotFormat


@click.command(
    cls=FasCommand,
    examples="""
        # a run
        fas report runs/quickstart
        # two runs, compared
        fas report runs/first runs/second -o compared.html
        # two systems by their scores, with names, without photos, to send
        fas report door=a.csv gate=b.csv --dev a-dev.csv --dev b-dev.csv --worst 0
        # limits that the figures must meet
        fas report runs/quickstart --target 'apcer_max<=0.05,bpcer<=0.10'
    """,
)
@click.argument(
    "targets",
    nargs=-1,
    required=True,
    metavar="[NAME=]RUN|SCORES...",
    shell_complete=complete_run,
)
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    panel=panels.OUTPUT,
    help="HTML file to write.",
)
@option(
    "--pdf",
    type=click.Path(path_type=Path, dir_okay=False),
    panel=panels.OUTPUT,
    help="PDF file to print the page to as well; needs Chromium or Chrome.",
)
@option("--title", panel=panels.OUTPUT, help="Title of the page.")
@option(
    "--split",
    default="test",
    show_default=True,
    panel=panels.DATA,
    help="Split of the runs to report: dev or test.",
)
@threshold_option
@reject_option
@option(
    "--dev",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="SCORES",
    panel=panels.SCORE_FILES,
    help="Dev scores to fit the threshold of a score file on; once per score file, in their order.",
)
@option(
    "--data",
    metavar="NAME|MANIFEST|FOLDER",
    panel=panels.DATA,
    shell_complete=complete_dataset,
    help="Data set with the photos, if they moved since the run, or for score files.",
)
@option(
    "--worst",
    type=click.IntRange(0),
    default=12,
    show_default=True,
    panel="Photos",
    help="Number of misclassified samples to show per kind; 0 for no photos.",
)
@option(
    "--explain/--no-explain",
    default=True,
    panel="Photos",
    help="Show what a run looked at in misclassified samples; needs torch and the run's weights.",
)
@option(
    "--target",
    metavar="LIMITS",
    panel=panels.FIGURES,
    help="Limits that figures must meet, e.g. 'apcer_max<=0.05,bpcer<=0.10' (or apcer_max:0.05,bpcer:0.10): "
    "pass, fail, or cannot tell from so few people.",
)
@option(
    "--group-by",
    metavar="COLUMN",
    panel=panels.FIGURES,
    help="Compare the error rates of each value of a column, such as skin_tone or device, of the score file "
    "or of the manifest.",
)
@option(
    "--check-files",
    is_flag=True,
    panel=panels.DATA,
    help="Read every image file of the data, as `fas data check` does, to find damage and copies.",
)
@replicates_option
@metric_option
@option(
    "--plots",
    "plot_folder",
    type=click.Path(path_type=Path, file_okay=False),
    panel=panels.OUTPUT,
    help="Folder to also write every plot to, as an image file.",
)
@option(
    "--plot-format",
    type=click.Choice(["svg", "png"]),
    default="svg",
    show_default=True,
    panel=panels.OUTPUT,
    help="Format of the files in --plots.",
)
@reading_options
@output_options
def command(
    targets: tuple[str, ...],
    output: Path,
    pdf: Path | None,
    title: str | None,
    split: str,
    threshold: str | None,
    reject: str | None,
    dev: tuple[Path, ...],
    data: str | None,
    worst: int,
    explain: bool,
    target: str | None,
    group_by: str | None,
    check_files: bool,
    replicates: int,
    metrics: tuple[str, ...],
    plot_folder: Path | None,
    plot_format: PlotFormat,
    reading: Reading,
) -> None:
    """Write one HTML file that needs no network: plain words, tables, curves, the worst mistakes, the data.

    Several RUNs and SCORES are compared with the first by paired bootstrap; the comparison is printed too.
    NAME=PATH gives a system another name than its path's.
    Misclassified samples are shown with their photos, so think before you send a report to others, or use
    --worst 0.
    """
    from fas_core.evaluation.comparison import comparison_table
    from fas_core.evaluation.targets import parse_targets
    from fas_core.registry import registry
    from fas_plugins.commands.report.build import build_report
    from fas_plugins.commands.report.groups import describe_differences
    from fas_plugins.commands.report.in_words import describe_target
    from fas_plugins.commands.report.pdf import find_browser, print_page
    from fas_plugins.commands.report.score_source import SourceOptions

    limits = () if target is None else parse_targets(target)
    browser = None if pdf is None else find_browser()
    names = dict(map(_split_name, targets))
    options = SourceOptions(
        split, dev, reading, threshold, reject, metrics, replicates, data, limits, group_by, check_files
    )
    report = build_report(
        [path for path, _ in map(_split_name, targets)],
        options,
        registry(),
        names={path: name for path, name in names.items() if name},
        title=title,
        worst=worst,
        explain=explain,
    )
    report.write(output)
    if pdf is not None and browser is not None:
        print_page(browser, output, pdf)
    files = [] if plot_folder is None else [plot.write(plot_folder, plot_format) for plot in report.plots]
    for comparison in report.comparisons:
        console.table(comparison_table(comparison))
    size = len(report.html.encode()) / 1e6
    printed = "" if pdf is None else f"; printed to {pdf}"
    console.info(f"{output}: {size:.1f} MB{printed}" + (f"; plots in {plot_folder}" if files else ""))
    show_summaries(system.result for system in report.systems)
    for system in report.systems:
        for judgement in system.judgements:
            console.info(f"{system.name}: {judgement.verdict}: {describe_target(judgement)}")
        for line in () if system.groups is None else describe_differences(system.groups):
            console.info(f"{system.name}: {line}")
    if console.json:
        paths = {"report": str(output), "plots": [str(file) for file in files]}
        paths |= {} if pdf is None else {"pdf": str(pdf)}
        console.document(paths | report.to_json())


def _split_name(target: str) -> tuple[Path, str]:
    """Split `NAME=PATH`; a path that exists as it is written has no name."""
    name, equals, path = target.partition("=")
    return (
        (Path(path), name) if equals and name and path and not Path(target).exists() else (Path(target), "")
    )
