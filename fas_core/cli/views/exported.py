"""How `fas export` shows the formats and what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict

from fas_core.console import Table, console

if TYPE_CHECKING:
    from fas_core.card import Card
    from fas_core.cli.export import Plan
    from fas_core.contracts import Exported
    from fas_core.descriptors import Exporter
    from fas_core.export.verify import Comparison

    Written = Sequence[tuple[Plan, Exported]]

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


def formats(exporters: Sequence[Exporter]) -> None:
    """`fas export --list`."""
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


def verification(exported: Exported) -> dict[str, Any]:
    """What stands beside the file."""
    found = asdict(exported.verification)
    found["unverified"] = list(found["unverified"])
    return {"file": exported.path.name, "size": exported.size, **exported.facts, **found}


def document(run: Path, written: Written, card: Card, weights: str, comparison: Comparison) -> dict[str, Any]:
    """Of `--json`."""
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
                **verification(done),
                "path": str(done.path),
                "format": plan.exporter.name,
                "form": plan.form,
            }
            for plan, done in written
        ],
    }


def tables(written: Written, card: Card, comparison: Comparison) -> None:
    """What the files take and mean, then a line for each of them."""
    threshold, side, counts = card.threshold, card.input.face_size, comparison.samples.counts()
    labels = ", ".join(f"{counts[key]} {key}" for key in ("live", "attack", "unknown") if counts.get(key))
    console.table(
        Table(
            title="",
            columns=("model", ""),
            rows=[
                ("takes", f"{', '.join(card.modalities)}: uint8 (B, {side}, {side}, 3)"),
                ("threshold", threshold.text() if threshold else "none"),
                (
                    "compared on",
                    f"{len(comparison.samples)} samples of {comparison.split} ({labels})",
                ),
            ],
            left=(0, 1),
        )
    )
    console.info()
    console.table(Table("", COLUMNS, [_row(done) for _, done in written]))
    console.info("latency: median of one sample a call, one thread of this machine's CPU")
    for plan, done in written:
        facts = ", ".join([plan.form, *(f"{key} {value}" for key, value in done.facts.items())])
        console.info(f"{done.path}: {plan.exporter.name}, {facts}")


def _row(exported: Exported) -> tuple[str, ...]:
    found = exported.verification

    def shown(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    return (
        exported.path.name,
        f"{exported.size / 1e6:.2f} MB",
        shown(found.latency, ".2f") + " ms",
        f"{found.max_difference:.2g}",
        f"{found.mean_difference:.2g}",
        shown(found.changed, "d"),
        shown(found.acer_before, ".2%"),
        shown(found.acer_after, ".2%"),
    )
