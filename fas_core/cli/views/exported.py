"""How `fas export` prints the formats and the files that it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fas_core.console import Table, console

if TYPE_CHECKING:
    from fas_core.contracts import Exported
    from fas_core.descriptors import Exporter
    from fas_core.export.export_run import ExportPlan
    from fas_core.export.verify import Comparison

    Written = Sequence[tuple[ExportPlan, Exported]]

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


def show_formats(exporters: Sequence[Exporter]) -> None:
    """Print the installed formats."""
    if console.json:
        console.document(
            [
                {
                    "name": exporter.name,
                    "files": [*filter(None, (exporter.suffix, *exporter.beside))],
                    "forms": list(exporter.forms),
                    "summary": exporter.summary,
                }
                for exporter in exporters
            ]
        )
        return
    rows = [
        (
            exporter.name,
            ", ".join((exporter.suffix or "a folder", *exporter.beside)),
            ", ".join(exporter.forms),
            exporter.summary,
        )
        for exporter in exporters
    ]
    console.table(Table("", ("format", "files", "forms", "what it is"), rows, left=(0, 1, 2, 3)))


def show_exports(run: Path, written: Written, weights: str, comparison: Comparison) -> None:
    """Print the written files, or the document of `--json`."""
    if console.json:
        console.document(_document(run, written, weights, comparison))
    else:
        _print_tables(written, comparison)


def _document(run: Path, written: Written, weights: str, comparison: Comparison) -> dict[str, Any]:
    from fas_core.export.export_run import verification_document

    card = comparison.card
    return {
        "run": str(run),
        "weights": weights,
        "modalities": list(card.modalities),
        "input_size": card.input.face_size,
        "threshold": card.threshold.to_json() if card.threshold else None,
        "recipe_digest": card.digest,
        "compared_on": {"split": comparison.split, **comparison.samples.counts()},
        "files": [
            {
                **verification_document(exported),
                "path": str(exported.path),
                "format": plan.exporter.name,
                "form": plan.form,
            }
            for plan, exported in written
        ],
    }


def _print_tables(written: Written, comparison: Comparison) -> None:
    """Print what the files take and mean, then a line for each of them."""
    card, counts = comparison.card, comparison.samples.counts()
    threshold, side = card.threshold, card.input.face_size
    labels = ", ".join(f"{counts[key]} {key}" for key in ("live", "attack", "unknown") if counts.get(key))
    rows = [
        ("takes", f"{', '.join(card.modalities)}: uint8 (B, {side}, {side}, 3)"),
        ("threshold", threshold.text() if threshold else "none"),
        ("compared on", f"{len(comparison.samples)} samples of {comparison.split} ({labels})"),
    ]
    console.table(Table("", ("model", ""), rows, left=(0, 1)))
    console.info()
    console.table(Table("", COLUMNS, [_row(exported) for _, exported in written]))
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
