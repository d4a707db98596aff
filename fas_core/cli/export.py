"""`fas export`: a run's model for other runtimes, compared with torch on samples of the run's own data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import rich_click as click
from attrs import evolve

from fas_core.cli.options import output_options, require
from fas_core.console import Table, console
from fas_core.errors import DataError, FasError

if TYPE_CHECKING:
    from fas_core.card import Card
    from fas_core.contracts import Exported, Images
    from fas_core.data.samples import SampleTable
    from fas_core.descriptors import Exporter
    from fas_core.engine.run import Run
    from fas_core.plugins import Registry

SPLITS = ("dev", "test", "train")
"""Where samples to compare on are taken from: the first of these that the data set has."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option("--format", "name", default="onnx", show_default=True, metavar="NAME", help="Of the exporter.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="RUN/model.onnx unless given."
)
@click.option(
    "--weights", type=click.Choice(["best", "last"]), default="best", show_default=True, help="Of the run."
)
@click.option(
    "--samples", "count", type=click.IntRange(1), default=32, show_default=True, help="To compare on."
)
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Exporter's option, e.g. opset=20.")
@output_options
def command(
    run: Path,
    name: str,
    output: Path | None,
    weights: Literal["best", "last"],
    count: int,
    sets: tuple[str, ...],
) -> None:
    """Write the model of RUN with preprocessing, threshold and names inside.

    The file is checked against the model on samples of the run's data; one that differs is not left.
    """
    require("train", "torch", "onnx", "onnxscript", "safetensors")
    from fas_core.engine.run import Run
    from fas_core.plugins import registry

    opened = Run.open(run, registry())
    exporter = _exporter(registry(), name)
    options = _options(exporter, sets, registry())
    destination = _destination(output or run / f"model{exporter.suffix}", exporter)
    model = opened.model(weights)
    card = _card(opened, weights)
    images, source = _images(opened, count)
    console.info(f"exporting {run}, {weights} weights")
    exported = exporter.load()(options, model=model, samples=images, destination=destination, card=card)
    if console.json:
        console.document(_document(exported, card, name, weights, source))
    else:
        console.table(_table(exported, card, name, source))


def _exporter(registry: Registry, name: str) -> Exporter:
    from fas_core.descriptors import Exporter

    exporter = registry.find("exporter", name)
    assert isinstance(exporter, Exporter)
    return exporter


def _options(exporter: Exporter, sets: tuple[str, ...], registry: Registry) -> Any:
    from fas_core.recipes import merge, nest, parse_sets
    from fas_core.structure import structure

    tree: dict[str, Any] = {}
    for path, value in parse_sets(sets).items():
        tree = merge(tree, nest(path, value))
    return structure(tree, exporter.options, registry, f"exporter {exporter.name}")


def _destination(path: Path, exporter: Exporter) -> Path:
    if path.is_dir():
        raise FasError(f"{path}: is a folder: name the file, e.g. {path / f'model{exporter.suffix}'}")
    if path.suffix != exporter.suffix:
        raise FasError(f"{path}: what {exporter.name} writes is named *{exporter.suffix}")
    return path


def _card(run: Run, weights: Literal["best", "last"]) -> Card:
    """The run's card; a threshold fitted on what the best weights gave is no other weights' threshold."""
    card = run.card()
    if weights != "best" and card.threshold is not None and card.threshold.source != "given":
        console.warn(
            f"no threshold goes with it: the run's was fitted on its best weights, not its {weights}"
        )
        return evolve(card, threshold=None)
    if card.threshold is None:
        console.warn(f"no threshold goes with it: {run.path} has no dev scores to fit one on")
    return card


def _images(run: Run, count: int) -> tuple[Images, dict[str, Any]]:
    """Up to `count` samples of the run's own data as the model's input, and which they are.

    Raises:
        DataError: the data is not there any more.
    """
    from fas_core.data.reading import batches
    from fas_core.data.source import open_choice

    recipe = run.recipe
    try:
        reader = open_choice(recipe.data, run.registry)
        split = next((name for name in SPLITS if name in reader.splits()), reader.splits()[0])
        samples = _spread(reader.samples(split).need(recipe.modalities), count)
        (images,) = batches(
            samples, recipe.modalities, recipe.model.input_size, recipe.resize, len(samples), 1
        )
    except DataError as error:
        raise DataError(
            f"{run.path}: its data is needed, to compare the export with the model: {error.message} "
            f"(where the data has moved, set data.root in {run.path / 'recipe.yaml'})"
        ) from error
    return images, {"split": split, **samples.counts()}


def _spread(samples: SampleTable, count: int) -> SampleTable:
    """`count` of the samples, or all: labels by their shares, places over the whole table."""
    import numpy as np

    if not len(samples):
        raise DataError(f"{samples.root}: no samples")
    by_label = np.argsort(samples.labels, kind="stable")
    places = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(np.intp)
    return samples.take(by_label[places])


def _document(
    exported: Exported, card: Card, name: str, weights: str, source: dict[str, Any]
) -> dict[str, Any]:
    return {
        "path": str(exported.path),
        "format": name,
        "weights": weights,
        "size": exported.size,
        **exported.facts,
        "modalities": list(card.modalities),
        "input_size": card.input_size,
        "threshold": card.threshold.to_json() if card.threshold else None,
        "recipe_digest": card.digest,
        "compared_on": source,
        "max_difference": exported.max_difference,
        "mean_difference": exported.mean_difference,
    }


def _table(exported: Exported, card: Card, name: str, source: dict[str, Any]) -> Table:
    threshold, side = card.threshold, card.input_size
    labels = ", ".join(f"{source[key]} {key}" for key in ("live", "attack", "unknown") if key in source)
    rows = [
        ("format", ", ".join([name, *(f"{key} {value}" for key, value in exported.facts.items())])),
        ("size", f"{exported.size / 1e6:.2f} MB"),
        ("takes", f"{', '.join(card.modalities)}: uint8 (B, {side}, {side}, 3)"),
        (
            "threshold",
            f"{threshold.value:.6g} ({threshold.policy}, {threshold.source})" if threshold else "none",
        ),
        ("compared on", f"{exported.samples} samples of {source['split']} ({labels})"),
        ("max |score difference|", f"{exported.max_difference:.2g}"),
        ("mean |score difference|", f"{exported.mean_difference:.2g}"),
    ]
    return Table(title="", columns=("exported", str(exported.path)), rows=rows, left=(0, 1))
