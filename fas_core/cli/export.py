"""`fas export`: a run's model for other runtimes, compared with it on samples of the run's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import rich_click as click

from fas_core.cli.options import output_options
from fas_core.cli.views.exported import show_exports, show_formats
from fas_core.descriptors import Exporter
from fas_core.errors import require


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN", required=False)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME,...",
    help="Formats to write, see --list; onnx by default.",
)
@click.option(
    "--fp32", "forms", multiple=True, flag_value="fp32", help="Write the model as it is; the default."
)
@click.option("--fp16", "forms", multiple=True, flag_value="fp16", help="Write it in half precision.")
@click.option("--int8", "forms", multiple=True, flag_value="int8", help="Write it quantized to 8 bits.")
@click.option(
    "--pruned",
    "forms",
    multiple=True,
    flag_value="pruned",
    help="Write it with as few hidden channels as its error rate allows: the fastest on a CPU.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="File to write, or folder of several; RUN/model.* by default.",
)
@click.option(
    "--weights",
    type=click.Choice(["best", "last"]),
    default="best",
    show_default=True,
    help="Which weights of the run to export.",
)
@click.option(
    "--data",
    metavar="NAME|MANIFEST|FOLDER",
    help="Data to compare on instead of the run's own; any faces do.",
)
@click.option(
    "--samples",
    "count",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Largest number of samples to compare on.",
)
@click.option(
    "--calibration",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    help="Number of samples that int8 and pruned are calibrated on.",
)
@click.option(
    "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Option of the exporter, e.g. opset=20."
)
@click.option("--list", "listing", is_flag=True, help="List the formats, and write nothing.")
@output_options
def command(
    run: Path | None,
    formats: tuple[str, ...],
    forms: tuple[str, ...],
    output: Path | None,
    weights: Literal["best", "last"],
    data: str | None,
    count: int,
    calibration: int,
    sets: tuple[str, ...],
    listing: bool,
) -> None:
    """Write the model of RUN with preprocessing, threshold and names inside.

    Each file is compared with the model on samples of the run's data; one that differs is not left. The
    figures of the comparison are written beside it, to FILE.verification.json.
    """
    from fas_core.registry import registry

    if listing:
        names = [exporter.name for exporter in registry().all(Exporter)]
        show_formats([registry().find(Exporter, name) for name in names])
        return
    if run is None:
        raise click.UsageError("Missing argument 'RUN'.")
    require("train", "torch", "onnx", "onnxscript", "safetensors")
    from fas_core.export.export_run import export_card, export_run, plan_exports
    from fas_core.export.verify import compare_on
    from fas_core.models.model import scorer
    from fas_core.runs.run import Run

    opened = Run.open(run, registry())
    plans = plan_exports(_split_names(formats), forms, sets, output, run, registry())
    model = opened.model(weights)
    comparison = compare_on(opened, scorer(model), export_card(opened, weights), count, data)
    written = list(export_run(opened, weights, model, plans, comparison, calibration))
    show_exports(run, written, weights, comparison)


def _split_names(formats: tuple[str, ...]) -> list[str]:
    """`--format onnx,openvino --format torch`, each once, in order."""
    names = [name.strip() for text in formats or ("onnx",) for name in text.split(",")]
    return list(dict.fromkeys(names))
