"""What `fas models` prints: the list of networks, and the blocks of one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from fas_core.text_table import Table

if TYPE_CHECKING:
    from fas_plugins.commands.models.cost import Block, Cost
    from fas_plugins.commands.models.measure import Latency, NetworkSpec

CONVENTION = (
    "cost: as the published tables count it (multiply-accumulates and biases of convolutions and linear "
    "layers, inputs of batch norms and ReLUs, windows of poolings); MACs: multiply-accumulates alone"
)


def network_tables(rows: Sequence[Mapping[str, Any]], modalities: Sequence[str]) -> list[Table]:
    """A table of the backbones and one of the fusions; numbered sources stand below.

    Args:
        rows: of `measure_component`.
        modalities: those of the fusions.
    """
    sources = dict.fromkeys(row["source"] for row in rows if row["source"])
    numbers = {source: f"[{number}]" for number, source in enumerate(sources, 1)}
    legend = "".join(f"{number} {source}\n" for source, number in numbers.items())
    fusions = f"fusions, of feathernet_b for {', '.join(modalities)} (single: {modalities[0]})"
    tables = []
    for kind, title, column in (("backbone", "backbones", "features"), ("fusion", fusions, "takes")):
        columns = (kind, "params, M", "cost, M", "MACs, M", "input", column, "source")
        if cells := [_format_row(row, numbers) for row in rows if row["kind"] == kind]:
            tables.append(Table(f"{len(cells)} {title}", columns, cells, left=(0, 6)))
    return [*tables[:-1], evolve(tables[-1], note=f"{legend}{CONVENTION}")]


def blocks_table(spec: NetworkSpec, cost: Cost) -> Table:
    """The blocks of one network, and their sum."""
    columns = ("block", "kind", "gives", "params", "cost, M", "MACs, M")
    rows = [_format_block(block) for block in cost.blocks]
    rows.append(("total", "", "", f"{cost.params:,}", *_in_millions(cost.published, cost.macs)))
    title = f"{spec.backbone}, {spec.fusion} of {', '.join(spec.modalities)} at {spec.input_size} px"
    return Table(title, columns, rows, note=CONVENTION, left=(0, 1))


def describe_memory(cost: Cost) -> str:
    """Return the memory of one sample in one line."""
    return (
        f"activations: {cost.activations / 1e6:.1f} MB a sample kept in training, "
        f"{cost.largest / 1e6:.1f} MB at the largest layer (float32)"
    )


def describe_latency(timing: Latency) -> str:
    """Return the latency in one line."""
    threads = f"{timing.threads} thread{'s' if timing.threads > 1 else ''}"
    return (
        f"latency: median {1e3 * timing.median:.1f} ms, quartiles {1e3 * timing.low:.1f} to "
        f"{1e3 * timing.high:.1f}, batch 1, {threads} of this CPU, {timing.runs} runs"
    )


def _format_row(row: Mapping[str, Any], numbers: Mapping[str, str]) -> tuple[str, ...]:
    if row["error"]:
        return (row["name"], "-", "-", "-", "-", "-", numbers.get(row["source"], ""))
    return (
        row["name"],
        *(f"{row[key] / 1e6:.2f}" for key in ("params", "cost", "macs")),
        str(row["input_size"]),
        row["takes"] or "x".join(map(str, row["features"])),
        numbers.get(row["source"], ""),
    )


def _format_block(block: Block) -> tuple[str, ...]:
    shape = "x".join(map(str, block.shape)) if block.shape else ""
    name = block.name.removeprefix("backbones.")  # a terminal has 80 columns
    return (name, block.kind, shape, f"{block.params:,}", *_in_millions(block.published, block.macs))


def _in_millions(*counts: int) -> tuple[str, ...]:
    return tuple(f"{count / 1e6:.2f}" for count in counts)
