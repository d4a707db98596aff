"""`fas export`: a run's model for other runtimes, compared with it on samples of the run's own data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import rich_click as click
from attrs import evolve

from fas_core.cli.options import PATH, output_options, reject_option
from fas_core.console import console
from fas_core.descriptors import Exporter
from fas_core.errors import FasError, require
from fas_core.failures import format_traceback
from fas_core.text_table import Table

if TYPE_CHECKING:
    from fas_core.contracts import Exported
    from fas_core.export.export_run import ExportPlan
    from fas_core.export.verify import Comparison
    from fas_core.runs.run import Run

    Written = Sequence[tuple[ExportPlan, Exported]]
    Refused = Sequence[tuple[ExportPlan, FasError]]

COLUMNS = (
    "file",
    "size",
    "latency",
    "max |score\ndifference|",
    "mean |score\ndifference|",
    "decisions\nchanged",
    "ACER,\nthe model",
    "ACER,\nthe file",
)


@click.command()
@click.argument("run", type=PATH, metavar="RUN", required=False)
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
    type=PATH,
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
@reject_option
@click.option(
    "--novelty/--no-novelty",
    default=None,
    help="Add an output that tells how unlike the training data a face is; fitted on the run's own data. By "
    "default as the run was exported before.",
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
    "--opset",
    type=click.IntRange(1),
    metavar="N",
    help="Version of ONNX's operators, 18 by default; older runtimes need an older one, e.g. 11.",
)
@click.option(
    "--static-batch",
    type=click.IntRange(1),
    metavar="N",
    help="Write an ONNX graph that takes exactly N samples per call; any number by default.",
)
@click.option(
    "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Option of the exporter, e.g. tolerance=0.001."
)
@click.option(
    "--keep-data-root", is_flag=True, help="Write where the data lies (data.root) into the files, too."
)
@click.option("--list", "listing", is_flag=True, help="List the formats, and write nothing.")
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    run: Path | None,
    formats: tuple[str, ...],
    forms: tuple[str, ...],
    output: Path | None,
    weights: Literal["best", "last"],
    reject: str | None,
    novelty: bool | None,
    data: str | None,
    count: int,
    calibration: int,
    opset: int | None,
    static_batch: int | None,
    sets: tuple[str, ...],
    keep_data_root: bool,
    listing: bool,
) -> None:
    """Write the model of RUN with preprocessing, threshold and names inside.

    Each file is compared with the model on samples of the run's data; one that differs is not left, and the
    others are written all the same. The figures of the comparison are written beside each, to
    FILE.verification.json. Exit code: 0 if all were written, 2 if any was not.
    """
    from fas_core.registry import registry

    if listing:
        _show_formats(registry().all(Exporter))
        return
    if run is None:
        raise click.UsageError("Missing argument 'RUN'.")
    require("train", "torch", "onnx", "onnxscript", "safetensors")
    from fas_core.cli.next_steps import show_export_steps
    from fas_core.export.export_run import export_card, export_run, open_run, plan_exports
    from fas_core.export.verify import compare_on
    from fas_core.models.checkpoint import check_finite
    from fas_core.models.model import scorer
    from fas_core.runs.card import build_card
    from fas_core.runtime.model_notes import describe_training

    opened = open_run(run, registry())
    shared = {"opset": opset, "static_batch": static_batch}
    shared = {key: value for key, value in shared.items() if value is not None}
    plans = plan_exports(_split_names(formats), forms, sets, output, opened.path, registry(), shared)
    if novelty:
        _require_novelty(opened, weights)
    model = opened.model(weights)
    check_finite(model.state_dict(), f"{run}: {weights} weights")
    if (note := describe_training(build_card(opened))) is not None:
        console.warn(note)
    card = export_card(opened, weights, keep_data_root=keep_data_root, reject=reject)
    if novelty is False:
        model.novelty, card = None, evolve(card, novelty=None)
    comparison = compare_on(opened, scorer(model), card, count, data)
    written: list[tuple[ExportPlan, Exported]] = []
    refused: list[tuple[ExportPlan, FasError]] = []
    for plan, result in export_run(opened, weights, model, plans, comparison, calibration):
        if isinstance(result, FasError):
            if console.verbose:
                sys.stderr.write(f"{format_traceback(result)}\n")
            console.error(str(result))
            refused.append((plan, result))
        else:
            written.append((plan, result))
    if console.json:
        console.document(_document(opened.path, written, refused, weights, comparison))
    elif written:
        _show_exports(written, comparison)
        show_export_steps([exported.path for _, exported in written], card, opened.recipe.data)
    ctx.exit(FasError.exit_code if refused else 0)


def _require_novelty(run: Run, weights: str) -> None:
    """Fit the novelty of the run's best weights, unless the run has it."""
    from fas_core.export.novelty import fit_novelty

    if weights != "best":
        raise click.UsageError("--novelty is fitted for the best weights: leave --weights out")
    if run.novelty() is None:
        console.info(fit_novelty(run).text())


def _split_names(formats: tuple[str, ...]) -> list[str]:
    """`--format onnx,openvino --format torch`, each once, in order."""
    return list(dict.fromkeys(name.strip() for text in formats or ("onnx",) for name in text.split(",")))


def _show_formats(exporters: Sequence[Exporter]) -> None:
    """Print the installed formats."""
    from fas_core.registry import registry

    rows, documents = [], []
    for item in exporters:
        name, forms, summary = registry().name_of(item), list(item.forms), item.summary
        files = [*filter(None, (item.suffix, *item.beside))]
        documents.append({"name": name, "files": files, "forms": forms, "summary": summary})
        rows.append((name, ", ".join((item.suffix or "a folder", *item.beside)), ", ".join(forms), summary))
    if console.json:
        console.document(documents)
    else:
        console.table(Table("", ("format", "files", "forms", "what it is"), rows, left=(0, 1, 2, 3)))


def _document(
    run: Path, written: Written, refused: Refused, weights: str, comparison: Comparison
) -> dict[str, Any]:
    from fas_core.export.export_run import verification_document
    from fas_core.runtime.model_notes import describe_training

    card = comparison.card
    return {
        "run": str(run),
        "weights": weights,
        "modalities": list(card.modalities),
        "input_size": card.input.face_size,
        "threshold": card.threshold.to_json() if card.threshold else None,
        "note": describe_training(card),
        "novelty": card.novelty.to_json() if card.novelty else None,
        "recipe_digest": card.digest,
        "compared_on": {"split": comparison.split, **comparison.samples.counts()},
        "files": [
            verification_document(exported)
            | {"path": str(exported.path), "format": plan.exporter.name, "form": plan.form}
            for plan, exported in written
        ],
        "refused": [
            {
                "path": str(plan.destination),
                "format": plan.exporter.name,
                "form": plan.form,
                "error": str(error),
            }
            for plan, error in refused
        ],
    }


def _show_exports(written: Written, comparison: Comparison) -> None:
    """Print what the files take and mean, then a line for each of them."""
    card, counts = comparison.card, comparison.samples.counts()
    threshold, side = card.threshold, card.input.face_size
    labels = ", ".join(f"{counts[key]} {key}" for key in ("live", "attack", "unknown") if counts.get(key))
    rows = [
        ("takes", f"{', '.join(card.modalities)}: uint8 (B, {side}, {side}, 3)"),
        ("threshold", threshold.text() if threshold else "none"),
        *([("novelty", card.novelty.text())] if card.novelty else []),
        ("compared on", f"{len(comparison.samples)} samples of {comparison.split} ({labels})"),
    ]
    console.table(Table("", ("model", ""), rows, left=(0, 1)))
    console.info()
    console.table(Table("", COLUMNS, [_row(exported) for _, exported in written]))
    ties = [
        f"{exported.verification.ties} of {exported.path.name}"
        for _, exported in written
        if exported.verification.ties
    ]
    if ties:
        console.info(f"decisions at the threshold that rounding changes, not counted: {', '.join(ties)}")
    console.info("latency: median of one sample a call, one thread of this machine's CPU")
    for plan, exported in written:
        facts = ", ".join([plan.form, *(f"{key} {value}" for key, value in exported.facts.items())])
        console.info(f"{exported.path}: {plan.exporter.name}, {facts}")


def _row(exported: Exported) -> tuple[str, ...]:
    verification = exported.verification

    def cell(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    return (
        exported.path.name,
        f"{exported.size / 1e6:.2f} MB",
        cell(verification.latency, ".2f") + " ms",
        f"{verification.max_difference:.2g}",
        f"{verification.mean_difference:.2g}",
        cell(verification.changed, "d"),
        cell(verification.acer_before, ".2%"),
        cell(verification.acer_after, ".2%"),
    )
