"""`fas export`: a run's model for other runtimes, compared with it on samples of the run's own data."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from fas_core.cli import panels
from fas_core.cli.benchmark_tables import show_benchmark
from fas_core.cli.candidates import complete_component, complete_dataset, complete_run
from fas_core.cli.command import FasCommand, option
from fas_core.cli.export_tables import exports_to_json, show_exports, show_formats
from fas_core.cli.options import PATH, FloatRange, output_options, reject_option
from fas_core.console import console
from fas_core.descriptors import Exporter
from fas_core.errors import FasError, require
from fas_core.failures import format_traceback

if TYPE_CHECKING:
    from fas_core.contracts import Exported
    from fas_core.exporting.benchmark import Benchmark
    from fas_core.exporting.export_run import ExportPlan
    from fas_core.exporting.verify import Comparison
    from fas_core.models.model import Model


@click.command(
    cls=FasCommand,
    examples="""
        # runs/quickstart/model.onnx
        fas export runs/quickstart
        # three forms in a folder, and which is the fastest here
        fas export runs/quickstart --form fp32,fp16,int8 -o shipped --benchmark
        # a graph for older runtimes
        fas export runs/quickstart --opset 11 --static-batch 1
    """,
)
@click.argument("run", type=PATH, metavar="RUN", required=False, shell_complete=complete_run)
@option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME,...",
    panel="Formats and forms",
    shell_complete=complete_component("exporter"),
    help="Formats to write, see --list; onnx by default.",
)
@option(
    "--fp32",
    "forms",
    multiple=True,
    flag_value="fp32",
    panel="Formats and forms",
    help="Write the model as it is; the default.",
)
@option(
    "--fp16",
    "forms",
    multiple=True,
    flag_value="fp16",
    panel="Formats and forms",
    help="Write it in half precision.",
)
@option(
    "--int8",
    "forms",
    multiple=True,
    flag_value="int8",
    panel="Formats and forms",
    help="Write it quantized to 8 bits.",
)
@option(
    "--pruned",
    "forms",
    multiple=True,
    flag_value="pruned",
    panel="Formats and forms",
    help="Write it with as few hidden channels as its error rate allows: the fastest on a CPU.",
)
@option(
    "--form",
    "named_forms",
    multiple=True,
    metavar="NAME,...",
    panel="Formats and forms",
    help="Forms by name: fp32, fp16, int8, pruned, pruned-int8, or those of a plugin's format.",
)
@option(
    "--recover",
    type=FloatRange(0, min_open=True),
    metavar="EPOCHS",
    panel="Formats and forms",
    help="Train what is pruned for so many epochs against the whole network, on the run's training data, so "
    "that more channels can go.",
)
@option(
    "-o",
    "--output",
    type=PATH,
    metavar="PATH",
    panel=panels.OUTPUT,
    help="File to write, or folder of several; RUN/model.* by default.",
)
@option(
    "--weights",
    type=click.Choice(["best", "last"]),
    default="best",
    show_default=True,
    panel=panels.MODEL,
    help="Which weights of the run to export.",
)
@reject_option
@option(
    "--novelty/--no-novelty",
    default=None,
    panel=panels.MODEL,
    help="Add an output that tells how unlike the training data a face is; fitted on the run's own data. By "
    "default as the run was exported before.",
)
@option(
    "--data",
    metavar="NAME|MANIFEST|FOLDER",
    panel=panels.DATA,
    shell_complete=complete_dataset,
    help="Data to compare on instead of the run's own; any faces do.",
)
@option(
    "--samples",
    "count",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    panel=panels.DATA,
    help="Largest number of samples to compare on.",
)
@option(
    "--calibration",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    panel=panels.DATA,
    help="Number of samples that int8 and pruned are calibrated on.",
)
@option(
    "--opset",
    type=click.IntRange(1),
    metavar="N",
    panel="Formats and forms",
    help="Version of ONNX's operators, 18 by default; older runtimes need an older one, e.g. 11.",
)
@option(
    "--static-batch",
    type=click.IntRange(1),
    metavar="N",
    panel="Formats and forms",
    help="Write an ONNX graph that takes exactly N samples per call; any number by default.",
)
@option(
    "--web-runtime",
    metavar="DIR|TGZ",
    panel="Formats and forms",
    help="Folder or archive of the npm package onnxruntime-web for --format web; fetched by default.",
)
@option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    panel="Formats and forms",
    help="Option of the exporter, e.g. tolerance=0.001.",
)
@option(
    "--keep-data-root",
    is_flag=True,
    panel=panels.OUTPUT,
    help="Write where the data lies (data.root) into the files, too.",
)
@option(
    "--benchmark",
    "measured",
    is_flag=True,
    panel=panels.OUTPUT,
    help="Measure the written files and eager PyTorch on this machine, and recommend one.",
)
@option("--list", "listing", is_flag=True, panel=panels.OUTPUT, help="List the formats, and write nothing.")
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    run: Path | None,
    formats: tuple[str, ...],
    forms: tuple[str, ...],
    named_forms: tuple[str, ...],
    recover: float | None,
    output: Path | None,
    weights: Literal["best", "last"],
    reject: str | None,
    novelty: bool | None,
    data: str | None,
    count: int,
    calibration: int,
    opset: int | None,
    static_batch: int | None,
    web_runtime: str | None,
    sets: tuple[str, ...],
    keep_data_root: bool,
    measured: bool,
    listing: bool,
) -> None:
    """Write the model of RUN with preprocessing, threshold and names inside.

    Each file is compared with the model on samples of the run's data; one that differs is not left, and the
    others are written all the same. The figures of the comparison are written beside each, to
    FILE.verification.json. Exit code: 0 if all were written, 2 if any was not.
    """
    from fas_core.registry import registry

    if listing:
        show_formats(registry().all(Exporter))
        return
    if run is None:
        raise click.UsageError("Missing argument 'RUN'.")
    require("train", "torch", "onnx", "onnxscript", "safetensors")
    from fas_core.cli.next_steps import show_export_steps
    from fas_core.exporting.export_run import export_run, open_run, plan_exports
    from fas_core.exporting.prepare import prepare_model
    from fas_core.exporting.verify import compare_on
    from fas_core.models.model import scorer

    opened = open_run(run, registry())
    flags = {"opset": opset, "static_batch": static_batch, "recover": recover, "web_runtime": web_runtime}
    shared = {key: value for key, value in flags.items() if value is not None}
    forms += tuple(_split_names(named_forms))
    plans = plan_exports(
        _split_names(formats or ("onnx",)), forms, sets, output, opened.path, registry(), shared
    )
    model, card = prepare_model(
        opened, weights, novelty=novelty, keep_data_root=keep_data_root, reject=reject
    )
    comparison = compare_on(opened, scorer(model), card, count, data)
    results = export_run(opened, weights, model, plans, comparison, calibration)
    written, refused = _separate_refused(results)
    benchmark = _measure(model, written, comparison) if measured and written else None
    if console.json:
        document = exports_to_json(opened.path, written, refused, weights, comparison)
        console.document(document | ({} if benchmark is None else {"benchmark": benchmark.to_json()}))
    elif written:
        show_exports(written, comparison)
        if benchmark is not None:
            show_benchmark(benchmark)
        show_export_steps([exported.path for _, exported in written], card, opened.recipe.data)
    ctx.exit(FasError.exit_code if refused else 0)


def _measure(model: Model, written: list[tuple[ExportPlan, Exported]], comparison: Comparison) -> Benchmark:
    from fas_core.exporting.benchmark import ACER_LOSS, benchmark_files

    files = {f"{plan.exporter.name} {plan.form}": exported for plan, exported in written}
    limits = [plan.options.acer_loss for plan, _ in written if hasattr(plan.options, "acer_loss")]
    return benchmark_files(model, comparison.images(1), files, max(limits, default=ACER_LOSS))


def _separate_refused(
    results: Iterable[tuple[ExportPlan, Exported | FasError]],
) -> tuple[list[tuple[ExportPlan, Exported]], list[tuple[ExportPlan, FasError]]]:
    """Return the files that were written and those that were refused; print why at once."""
    written: list[tuple[ExportPlan, Exported]] = []
    refused: list[tuple[ExportPlan, FasError]] = []
    for plan, result in results:
        if isinstance(result, FasError):
            if console.verbose:
                sys.stderr.write(f"{format_traceback(result)}\n")
            console.error(str(result))
            refused.append((plan, result))
        else:
            written.append((plan, result))
    return written, refused


def _split_names(texts: tuple[str, ...]) -> list[str]:
    """`--format onnx,openvino --format torch`, each once, in order."""
    return list(dict.fromkeys(name.strip() for text in texts for name in text.split(",")))
