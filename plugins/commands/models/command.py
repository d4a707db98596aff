"""`fas models`: every network and fusion with its size and cost; one of them in detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import rich_click as click
from attrs import evolve

from fas_core.cli.options.output import output_options
from fas_core.console import Table, console
from fas_core.descriptors import Backbone, Fusion
from fas_core.errors import FasError

if TYPE_CHECKING:
    from fas_core.descriptors import Backbone, Fusion
    from fas_core.models.model import Model
    from fas_core.models.timing import Latency
    from fas_core.registry import Registry
    from fas_plugins.commands.models.cost import Block, Cost

THREE = ("rgb", "depth", "ir")
CONVENTION = (
    "cost: as the published tables count it (multiply-accumulates and biases of convolutions and linear "
    "layers, inputs of batch norms and ReLUs, windows of poolings); MACs: multiply-accumulates alone"
)


@click.group()
def command() -> None:
    """Look at networks: size, cost, memory, latency."""


@command.command("list")
@click.option("--kind", type=click.Choice(["backbone", "fusion"]), help="Only one kind.")
@click.option("--num-classes", type=click.IntRange(2), default=2, show_default=True, help="Of classifiers.")
@output_options
def list_models(kind: str | None, num_classes: int) -> None:
    """Every backbone on one modality, and every fusion of three feathernet_b, at its published input size."""
    from fas_core.registry import registry

    found = registry()
    rows: list[dict[str, Any]] = []
    if kind != "fusion":
        rows += [_backbone_row(item, found, num_classes) for item in found.all(Backbone)]
    if kind != "backbone":
        rows += [_fusion_row(item, found, num_classes) for item in found.all(Fusion)]
    if console.json:
        console.document({"models": rows})
        return
    for table in _tables(rows):
        console.table(table)


def _tables(rows: list[dict[str, Any]]) -> list[Table]:
    """One of backbones and one of fusions, narrow enough for a terminal: sources stand below."""
    cited = dict.fromkeys(row["source"] for row in rows if row["source"])
    numbers = {source: f"[{number}]" for number, source in enumerate(cited, 1)}
    legend = "".join(f"{number} {source}\n" for source, number in numbers.items())
    made = []
    for kind, title, last in (
        ("backbone", "backbones", "features"),
        ("fusion", f"fusions, of feathernet_b for {', '.join(THREE)} (single: {THREE[0]})", "takes"),
    ):
        columns = (kind, "params, M", "cost, M", "MACs, M", "input", last, "source")
        if cells := [_cells(row, numbers) for row in rows if row["kind"] == kind]:
            made.append(Table(f"{len(cells)} {title}", columns, cells, left=(0, 6)))
    return [*made[:-1], evolve(made[-1], note=f"{legend}{CONVENTION}")]


def _cells(row: dict[str, Any], numbers: dict[str, str]) -> tuple[str, ...]:
    return (
        row["name"],
        *(f"{row[key] / 1e6:.2f}" for key in ("params", "cost", "macs")),
        str(row["input_size"]),
        row["takes"] or "x".join(map(str, row["features"])),
        numbers.get(row["source"], ""),
    )


def _backbone_row(item: Backbone, registry: Registry, num_classes: int) -> dict[str, Any]:
    model = _build(item.name, ("rgb",), "single", item.input_size, num_classes, registry, device="meta")
    (backbone,) = model.backbones.values()
    side = -(-item.input_size // cast(int, backbone.reduction))
    return {
        **_row(model),
        "kind": "backbone",
        "name": item.name,
        "features": [backbone.num_features, side, side],
        "takes": None,
        "source": item.source,
    }


def _fusion_row(item: Fusion, registry: Registry, num_classes: int) -> dict[str, Any]:
    modalities = THREE if item.name != "single" else THREE[:1]
    model = _build("feathernet_b", modalities, item.name, 224, num_classes, registry, device="meta")
    return {
        **_row(model),
        "kind": "fusion",
        "name": item.name,
        "features": None,
        "takes": item.takes,
        "source": item.source,
    }


def _row(model: Model) -> dict[str, Any]:
    cost = _cost(model)
    return {
        "params": cost.params,
        "cost": cost.published,
        "macs": cost.macs,
        "activation_bytes": cost.activations,
        "input_size": model.face_size,
    }


@command.command()
@click.argument("name")
@click.option("--modalities", default="rgb", show_default=True, metavar="NAME[,NAME...]")
@click.option("--fusion", metavar="NAME", help="single for one modality, else concat_linear.")
@click.option("--input-size", type=int, help="Side of the input in pixels; the published one unless given.")
@click.option("--num-classes", type=click.IntRange(2), default=2, show_default=True, help="Of classifiers.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="To time it with.")
@click.option(
    "--runs", type=click.IntRange(0), default=20, show_default=True, help="To time; 0 times nothing."
)
@output_options
def show(
    name: str,
    modalities: str,
    fusion: str | None,
    input_size: int | None,
    num_classes: int,
    threads: int,
    runs: int,
) -> None:
    """The backbone NAME as a model, in blocks: parameters, cost, memory, and its time for one sample."""
    from fas_core.registry import registry

    found = registry()
    _refuse_fusion(name, found)
    chosen = tuple(modalities.split(","))
    joined = fusion or ("single" if len(chosen) == 1 else "concat_linear")
    size = input_size or found.find(Backbone, name).input_size
    cost = _cost(_build(name, chosen, joined, size, num_classes, found, device="meta"))
    timed = None
    if runs:
        timed = _time(_build(name, chosen, joined, size, num_classes, found), threads, runs)
    if console.json:
        console.document(
            {
                "name": name,
                "modalities": list(chosen),
                "fusion": joined,
                "input_size": size,
                **_document(cost, timed),
            }
        )
        return
    title = f"{name}, {joined} of {', '.join(chosen)} at {size} px"
    columns = ("block", "kind", "gives", "params", "cost, M", "MACs, M")
    rows = [_block_cells(block) for block in cost.blocks]
    rows.append(("total", "", "", f"{cost.params:,}", *_millions(cost.published, cost.macs)))
    console.table(Table(title, columns, rows, note=CONVENTION, left=(0, 1)))
    console.info(
        f"activations: {cost.activations / 1e6:.1f} MB a sample kept in training, "
        f"{cost.largest / 1e6:.1f} MB at the largest layer (float32)"
    )
    if timed is not None:
        threads_text = f"{timed.threads} thread{'s' if timed.threads > 1 else ''}"
        console.info(
            f"latency: median {1e3 * timed.median:.1f} ms, quartiles {1e3 * timed.low:.1f} to "
            f"{1e3 * timed.high:.1f}, batch 1, {threads_text} of this CPU, {timed.runs} runs"
        )


def _refuse_fusion(name: str, registry: Registry) -> None:
    """A fusion's name alone says too little, unless a backbone shares it."""
    fusions, backbones = ({item.name for item in registry.all(kind)} for kind in (Fusion, Backbone))
    if name in fusions - backbones:
        raise FasError(
            f"{name}: a fusion: name what it joins, e.g. "
            f"fas models show feathernet_b --modalities {','.join(THREE)} --fusion {name}"
        )


def _block_cells(block: Block) -> tuple[str, ...]:
    shape = "x".join(map(str, block.shape)) if block.shape else ""
    name = block.name.removeprefix("backbones.")  # a terminal has 80 columns
    return (name, block.kind, shape, f"{block.params:,}", *_millions(block.published, block.macs))


def _millions(*counts: int) -> tuple[str, ...]:
    return tuple(f"{count / 1e6:.2f}" for count in counts)


def _document(cost: Cost, timed: Latency | None) -> dict[str, Any]:
    from attrs import asdict

    return {
        "params": cost.params,
        "cost": cost.published,
        "macs": cost.macs,
        "activation_bytes": cost.activations,
        "largest_layer_bytes": cost.largest,
        "latency_seconds": None if timed is None else asdict(timed),
        "blocks": [asdict(block) for block in cost.blocks],
    }


def _build(
    name: str,
    modalities: tuple[str, ...],
    fusion: str,
    size: int,
    num_classes: int,
    registry: Registry,
    device: str = "cpu",
) -> Model:
    """The model with fresh weights; on the meta device, only its shapes."""
    import torch

    from fas_core.config.recipe import Recipe
    from fas_core.config.structure import structure
    from fas_core.models.build import build_model

    model = {"backbone": name, "fusion": fusion, "input_size": size}
    recipe = structure({"modalities": list(modalities), "model": model}, Recipe, registry, "fas models")
    with torch.device(device):
        return build_model(recipe, registry, num_classes)


def _images(model: Model, device: str) -> dict[str, Any]:
    import torch

    shape = (1, model.face_size, model.face_size, 3)
    return {modality: torch.zeros(shape, dtype=torch.uint8, device=device) for modality in model.modalities}


def _cost(model: Model) -> Cost:
    from fas_plugins.commands.models.cost import measure

    return measure(model, _images(model, "meta"))


def _time(model: Model, threads: int, runs: int) -> Latency:
    from fas_core.models.timing import latency

    if runs < 5:
        raise FasError(f"--runs {runs}: quartiles take 5 runs or more; 0 times nothing")
    images = _images(model.eval(), "cpu")
    return latency(lambda: model(images), threads=threads, runs=runs)
