"""A graph with fewer hidden channels.

Layer after layer, the hidden channels that the following layers need least on real samples are removed, and
these layers are fitted anew to the unpruned graph's outputs (`channel_selection`). Labels play no part.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from onnxscript import ir
from onnxscript.ir.passes.common import RemoveUnusedNodesPass

from fas_core.contracts import Images
from fas_plugins.exporters.activations import Activations, sample_activations
from fas_plugins.exporters.channel_selection import STEP, Regression, build_regression, select_channels
from fas_plugins.exporters.graph import Facts, measure_depths, read_constant
from fas_plugins.exporters.prunable_channels import (
    count_positions,
    find_prunable_channels,
    keep_channels,
    set_reader_weights,
)
from fas_plugins.exporters.recovery import Recovery

PRICES = (0.1, 0.07, 0.05, 0.03, 0.02, 0.01)
"""Share of a layer's output variance that may be lost for every million multiplications saved.

As the price is the same for all layers, those of high resolution, which cost most, lose most channels.
"""

RECOVERED_PRICES = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
"""The same for graphs that are trained after pruning, which wins back much of what is lost."""

SAMPLES = 256
"""Samples that the graph is run on."""


def prune_variants(
    model: ir.Model, samples: Images, step: int = STEP, recovery: Recovery | None = None
) -> Iterator[tuple[ir.Model, Facts]]:
    """Yield the graph with few of its hidden channels, then with ever more, and the facts of each.

    Channels are kept in multiples of `step`. Yields nothing where the graph has no hidden channels. With a
    recovery the graph is fitted to training images instead of `samples`, and then trained.

    Raises:
        ModelError, FasError: as `recovery`, which each is trained by.
    """
    unpruned = find_prunable_channels(model.graph)
    if not unpruned:
        return
    # Fitted to images of dev, a graph would pass on dev whatever the training did.
    samples = samples if recovery is None else recovery.draw_samples(SAMPLES)
    samples = {name: pixels[:SAMPLES] for name, pixels in samples.items()}
    readers = [reader for channels in unpruned for reader in channels.readers]
    expected = sample_activations(model, [name for node in readers for name in _list_outputs(node)], samples)
    total = sum(channels.count for channels in unpruned)
    for price in PRICES if recovery is None else RECOVERED_PRICES:
        pruned = model.clone()
        _prune(pruned, expected, samples, price, step)
        count = sum(channels.count for channels in find_prunable_channels(pruned.graph))
        facts: Facts = {"hidden channels": f"{count} of {total}"}
        yield pruned, facts if recovery is None else facts | recovery(pruned, model)


def _prune(model: ir.Model, expected: Activations, samples: Images, price: float, step: int) -> None:
    """Prune every set of hidden channels at a price, in place.

    Args:
        expected: the unpruned graph's activations.
    """
    graph, depths = model.graph, measure_depths(model.graph)
    by_depth = sorted(
        ((depths[channels.producer], channels) for channels in find_prunable_channels(graph)),
        key=lambda item: item[0],
    )
    # Sets of one depth do not depend on each other: branches of several modalities go together.
    for _, group in groupby(by_depth, key=lambda item: item[0]):
        sets = [channels for _, channels in group]
        readers = [reader for channels in sets for reader in channels.readers]
        names = [name for node in readers for name in (_get_input_name(node), *_list_outputs(node)[1:])]
        activations = sample_activations(model, names, samples)
        for channels in sets:
            regressions = [_fit_reader(reader, expected, activations) for reader in channels.readers]
            selected = select_channels(regressions, price * channels.cost, step)
            keep_channels(graph, channels, selected)
            for reader, regression in zip(channels.readers, regressions, strict=True):
                set_reader_weights(graph, reader, *regression.solve(selected))
    RemoveUnusedNodesPass()(model)


def _fit_reader(reader: ir.Node, expected: Activations, activations: Activations) -> Regression:
    """Return the regression of a reader's expected outputs on its current inputs."""
    name, *addends = _list_outputs(reader)
    outputs = expected[name]
    for addend in addends:
        # Errors of earlier layers that bypass this one, e.g. in a shortcut, are corrected here.
        outputs = outputs + expected[addend] - activations[addend]
    weight = read_constant(reader.inputs[1])
    variance = max(float(expected[name].var(axis=0).sum()), np.finfo(np.float64).tiny)
    return build_regression(
        activations[_get_input_name(reader)],
        outputs,
        weight.reshape(weight.shape[:2]).T,
        variance / _count_averaged(reader),
    )


def _get_input_name(reader: ir.Node) -> str:
    assert reader.inputs[0] is not None
    return str(reader.inputs[0].name)


def _count_averaged(reader: ir.Node) -> int:
    """Return how many positions a reader's input is the mean of.

    The error at a position averages out later, the error of a mean does not.
    """
    producer = reader.inputs[0].producer() if reader.inputs[0] else None
    source = producer.inputs[0] if producer is not None and producer.op_type == "ReduceMean" else None
    return 1 if source is None else count_positions(source)


def _list_outputs(reader: ir.Node) -> list[str]:
    """Return the name of a reader's output, then of the values that are added to it."""
    output = reader.outputs[0]
    uses = list(output.uses())
    addition = uses[0].node if len(uses) == 1 and uses[0].node.op_type == "Add" else None
    addends = [] if addition is None else [value for value in addition.inputs if value is not output]
    names = [value.name for value in addends if value is not None and value.const_value is None]
    return [str(output.name), *map(str, names)]
