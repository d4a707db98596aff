"""What `fas export` prints: the installed formats, and a line or a JSON object for each written file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fas_core.console import console
from fas_core.descriptors import Exporter
from fas_core.errors import FasError
from fas_core.text_table import Table

if TYPE_CHECKING:
    from fas_core.contracts import Exported
    from fas_core.exporting.export_run import ExportPlan
    from fas_core.exporting.verify import Comparison

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


SLOWER = 1.05
"""Times the latency of fp32 from which a file is called slower; less is chance."""


def show_formats(exporters: Sequence[Exporter]) -> None:
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


def exports_to_json(
    run: Path, written: Written, refused: Refused, weights: str, comparison: Comparison
) -> dict[str, Any]:
    """Return what `fas export --json` prints."""
    from fas_core.exporting.export_run import verification_document
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


def show_exports(written: Written, comparison: Comparison) -> None:
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
    for line in describe_slow_forms(written):
        console.info(line)
    for plan, exported in written:
        facts = ", ".join([plan.form, *(f"{key} {value}" for key, value in exported.facts.items())])
        console.info(f"{exported.path}: {plan.exporter.name}, {facts}")


def describe_slow_forms(written: Written) -> Iterator[str]:
    """Yield a line for each file that is slower here than the same format's file in fp32."""
    for plan, exported in written:
        files = {
            other.form: (result.path.name, result.verification.latency)
            for other, result in written
            if other.exporter is plan.exporter and result.verification.latency is not None
        }
        latency = exported.verification.latency
        if latency is None or "fp32" not in files:
            continue
        whole_name, whole = files["fp32"]
        if latency <= SLOWER * whole:
            continue
        form, (name, least) = min(files.items(), key=lambda item: item[1][1])
        advice = "" if form == "fp32" else f", in {least / whole:.2f} x"
        yield (
            f"{exported.path.name} takes {latency / whole:.2f} x the time of {whole_name} here: the fastest "
            f"form is {form} ({name}{advice})"
        )


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
