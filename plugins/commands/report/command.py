"""`fas report`: runs and score files as one HTML file, and its plots as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from fas_core.cli.judging import METRIC, EvaluationOptions
from fas_core.cli.options.output import output_options
from fas_core.cli.options.score_files import reading_options
from fas_core.console import console
from fas_core.errors import FasError, require

if TYPE_CHECKING:
    from fas_core.runs.run import Run
    from fas_core.runtime.explain import Explainer
    from fas_core.scores.files import Reading
    from fas_plugins.commands.report.html import PlotFormat, Report
    from fas_plugins.commands.report.sources import Source, Terms
    from fas_plugins.commands.report.systems import System


@click.command()
@click.argument(
    "targets",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    metavar="RUN|SCORES...",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="The page.",
)
@click.option("--split", default="test", show_default=True, help="Of the runs: dev or test.")
@click.option(
    "--threshold",
    metavar="POLICY",
    help="eer, min-acer, apcer:X, apcer_max:X, bpcer:X (from dev), fixed:VALUE, oracle:POLICY.",
)
@click.option(
    "--dev",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="SCORES",
    help="Dev scores of a score file; once for each, in their order.",
)
@click.option(
    "--data", metavar="NAME|MANIFEST|FOLDER", help="Where the photos are, if not where a run had them."
)
@click.option(
    "--worst", type=click.IntRange(0), default=12, show_default=True, help="Mistakes of a kind shown."
)
@click.option(
    "--explain/--no-explain",
    default=True,
    help="Show what a run looked at in its mistakes: by default where torch and weights are there.",
)
@click.option(
    "--replicates",
    type=click.IntRange(0),
    default=EvaluationOptions().replicates,
    show_default=True,
    help="Bootstrap replicates for the 95 % intervals; 0 for no intervals.",
)
@click.option("--metric", "further", multiple=True, metavar=METRIC, help="A further metric; may be repeated.")
@click.option(
    "--plots", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write every plot here too."
)
@click.option(
    "--plot-format", type=click.Choice(["svg", "png"]), default="svg", show_default=True, help="Of --plots."
)
@reading_options
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    targets: tuple[Path, ...],
    output: Path,
    split: str,
    threshold: str | None,
    dev: tuple[Path, ...],
    data: str | None,
    worst: int,
    explain: bool,
    replicates: int,
    further: tuple[str, ...],
    folder: Path | None,
    plot_format: PlotFormat,
    reading: Reading,
) -> None:
    """Write one HTML file that needs no network: tables, curves, the worst mistakes, and how it was made.

    Several RUNs and SCORES are compared with the first by paired bootstrap, which is printed too. Mistakes
    are shown with their photos where they are still there, so think before sending a report to others, or
    say --worst 0.
    """
    from fas_core.evaluation import tables
    from fas_core.evaluation.comparison import compare
    from fas_core.evaluation.protocols import spread, spread_tables
    from fas_core.inference.scores_of import names_of
    from fas_core.registry import registry
    from fas_core.runs.protocols import is_protocol_runs
    from fas_core.scores.thresholds import parse_policy
    from fas_plugins.commands.report.html import Report, plots
    from fas_plugins.commands.report.sources import Terms, expanded, metrics_of, open_sources

    if threshold is not None:
        parse_policy(threshold)
    paths = expanded(targets, registry())
    names = names_of(paths)
    sources = open_sources(paths, registry(), split=split, dev=dev, reading=reading)
    metrics = EvaluationOptions(metrics=further).bound(metrics_of(sources), registry())
    systems = _judged(dict(zip(names, sources, strict=True)), Terms(metrics, threshold, replicates, data))
    results = [system.result for system in systems]
    one, whole_set = len(targets) == 1, len(targets) == 1 and is_protocol_runs(targets[0])
    report = Report(
        title=names_of(targets)[0] if one else f"{len(systems)} systems",
        systems=systems,
        summary=spread_tables(spread(results)) if whole_set else tables(results),
        # Sub-protocols are judged on samples of their own: their mean is asked for, not their difference.
        comparisons=[] if whole_set else compare(systems, metrics, replicates),
        plots=plots(systems),
        split=split if any(system.making for system in systems) else None,
        worst=worst,
        made=datetime.now().astimezone(),
        explainers=_explainers(ctx, sources, systems) if explain and worst else {},
    )
    _write(report, output, folder, plot_format)


def _judged(sources: Mapping[str, Source], terms: Terms) -> list[System]:
    """What was understood of files is said, and where no threshold is known."""
    from fas_core.registry import registry
    from fas_plugins.commands.report.sources import judged

    systems = []
    with console.progress("judging", len(sources)) as bar:
        for name, source in sources.items():
            if source.score_file is not None:
                console.info(source.score_file.description)
            systems.append(judged(source, name, terms, registry()))
            bar.advance()
            if systems[-1].threshold is None:
                console.warn(f"{source.path}: no threshold: give --dev SCORES, or --threshold fixed:VALUE")
    return systems


def _explainers(
    ctx: click.Context, sources: Sequence[Source], systems: Sequence[System]
) -> dict[str, Explainer | str]:
    """Of every run whose mistakes are shown with photos, what looks into it, or why nothing can."""
    return {
        system.name: _explainer(ctx, source.run, system.threshold)
        for source, system in zip(sources, systems, strict=True)
        if source.run is not None and system.threshold is not None and not isinstance(system.faces, str)
    }


def _explainer(ctx: click.Context, run: Run, threshold: float) -> Explainer | str:
    from fas_core.runtime.explain import Explainer
    from fas_core.runtime.predictor import Predictor

    try:
        require("train", "torch", "safetensors")
        from fas_core.inference.run_model import RunModel
        from fas_core.models.cost import threads_of_torch

        model = RunModel(run)
    except FasError as error:
        return error.message
    ctx.with_resource(threads_of_torch(1))  # many faces are looked at side by side, each by one thread
    return Explainer(Predictor(model, threshold=threshold), model.grad_cam)


def _write(report: Report, output: Path, folder: Path | None, plot_format: PlotFormat) -> None:
    """The page and, where there is a folder for them, the plots; comparisons are printed too."""
    from fas_core.atomic import replacing
    from fas_core.evaluation.comparison import comparison_table
    from fas_plugins.commands.report.html import render

    page = render(report)
    with replacing(output) as temporary:
        temporary.write_text(page, encoding="utf-8")
    files = [] if folder is None else [plot.write(folder, plot_format) for plot in report.plots]
    for comparison in report.comparisons:
        console.table(comparison_table(comparison))
    console.info(f"{output}: {len(page.encode()) / 1e6:.1f} MB" + (f"; plots in {folder}" if files else ""))
    if console.json:
        console.document(
            {
                "report": str(output),
                "plots": [str(file) for file in files],
                "systems": [system.result.to_json() for system in report.systems],
                "comparisons": [comparison.to_json() for comparison in report.comparisons],
            }
        )
