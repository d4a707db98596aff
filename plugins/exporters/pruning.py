"""A graph with fewer hidden channels, chosen and made up for by what real samples give.

Channels go where the layers that read them can do with the others. What these give is fitted anew by least
squares, layer after layer, to what the whole graph gives (Channel Pruning for Accelerating Very Deep Neural
Networks, arXiv 1707.06168). The next to go is the one that the fit needs least, which has a closed form
(Optimal Brain Compression, arXiv 2208.11580, of rows of weights instead of single ones). Where samples are
too few to tell channels apart, covariances are shrunk (Ledoit and Wolf, 2004). Labels play no part.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import onnxruntime
from attrs import frozen
from numpy.typing import NDArray
from onnxscript import ir
from onnxscript.ir.passes.common import RemoveUnusedNodesPass
from sklearn.covariance import ledoit_wolf

from fas_core.contracts import Images
from fas_plugins.exporters.graph import array, depths, fed
from fas_plugins.exporters.hidden import Hidden, hidden_channels, keep, places, refit

PRICES = (0.1, 0.07, 0.05, 0.03, 0.02, 0.01)
"""Of the variance of what a layer gives, the share that may be lost for every million multiplications saved.

At one price for all, layers of high resolution, which cost most, give most.
"""

STEP = 8
"""Channels are kept in multiples of that, for engines compute so many at once."""

SAMPLES, PLACES, BATCH = 256, 64, 16
"""Samples that are run, places of their maps that are looked at, and how many are run at once."""

FLOOR = 1e-9
"""Of a covariance's mean variance, what every channel has at least: some are constant."""

Array = NDArray[np.float64]
Rows = dict[str, Array]


def pruned(model: ir.Model, samples: Images) -> Iterator[tuple[ir.Model, dict[str, str | int]]]:
    """The graph with few of its hidden channels, then with ever more, and the facts of each.

    Gives nothing where the graph has no hidden channels.
    """
    samples = {name: values[:SAMPLES] for name, values in samples.items()}
    whole = hidden_channels(model.graph)
    names = [name for hidden in whole for reader in hidden.readers for name in _compared(reader)]
    expected = _rows(model, names, samples) if whole else {}
    for price in PRICES if whole else ():
        smaller = model.clone()
        _prune(smaller, expected, samples, price)
        left = sum(hidden.count for hidden in hidden_channels(smaller.graph))
        yield smaller, {"hidden channels": f"{left} of {sum(hidden.count for hidden in whole)}"}


def _prune(model: ir.Model, expected: Rows, samples: Images, price: float) -> None:
    graph, order = model.graph, depths(model.graph)

    def depth(hidden: Hidden) -> int:
        return order[hidden.maker]

    # Sets of one depth do not depend on each other: branches of several modalities go together.
    for _, group in groupby(sorted(hidden_channels(graph), key=depth), depth):
        sets = list(group)
        names = [
            name for hidden in sets for node in hidden.readers for name in (_read(node), *_compared(node)[1:])
        ]
        found = _rows(model, names, samples)
        for hidden in sets:
            fits = [_fit(reader, expected, found) for reader in hidden.readers]
            kept = chosen([fit.problem for fit in fits], price * hidden.cost)
            keep(graph, hidden, kept)
            for reader, fit in zip(hidden.readers, fits, strict=True):
                refit(graph, reader, *fit.solved(kept))
    RemoveUnusedNodesPass()(model)


@frozen(eq=False)
class Problem:
    """Channels' part in what a layer gives, as a problem of least squares.

    Args:
        covariance: (C, C) of the channels.
        shared: (C, O) their covariance with what the layer should give.
        variance: that errors are measured by: of what the layer gives, summed over O.
    """

    covariance: Array
    shared: Array
    variance: float


@frozen(eq=False)
class _Fit:
    """A problem, and the means that were taken away from it: (C,) and (O,)."""

    problem: Problem
    given: Array
    wanted: Array

    def solved(self, kept: NDArray[np.intp]) -> tuple[Array, Array]:
        """Weights (C', O) and bias (O,) for these channels alone."""
        covariance, shared = self.problem.covariance[np.ix_(kept, kept)], self.problem.shared[kept]
        weight = np.asarray(np.linalg.solve(covariance, shared), np.float64)
        return weight, self.wanted - self.given[kept] @ weight


def _fit(reader: ir.Node, expected: Rows, found: Rows) -> _Fit:
    """What a reader should give for what it now reads."""
    output, *added = _compared(reader)
    wanted = expected[output]
    for name in added:
        # What went wrong before, and goes around this layer, is made good by it.
        wanted = wanted + expected[name] - found[name]
    given = found[_read(reader)]
    means = given.mean(axis=0), wanted.mean(axis=0)
    covariance, shrinkage = ledoit_wolf(given)
    covariance += FLOOR * (np.trace(covariance) / len(covariance) or 1.0) * np.eye(len(covariance))
    shared = (given - means[0]).T @ (wanted - means[1]) / len(given)
    # Where the samples say nothing, what the layer did holds.
    assumed = given.var(axis=0).mean() * array(reader.inputs[1]).reshape(shared.T.shape).T
    shared = (1 - shrinkage) * shared + shrinkage * assumed
    variance = max(float(expected[output].var(axis=0).sum()), np.finfo(np.float64).tiny)
    return _Fit(Problem(covariance, shared, variance / _averaged(reader)), *means)


def chosen(problems: list[Problem], loss: float) -> NDArray[np.intp]:
    """The channels to keep, in order.

    One after another goes, the one that the others replace best, as long as that loses no more than `loss` of
    the layers' variance. A multiple of `STEP` stay.
    """
    alive = kept = np.arange(len(problems[0].covariance))
    inverses = [np.linalg.inv(problem.covariance) for problem in problems]
    weights = [inverse @ problem.shared for inverse, problem in zip(inverses, problems, strict=True)]
    while len(alive) > STEP:
        costs = np.sum(
            [
                (weight**2).sum(axis=1) / np.diag(inverse) / problem.variance
                for weight, inverse, problem in zip(weights, inverses, problems, strict=True)
            ],
            axis=0,
        )
        worst = int(costs.argmin())
        if costs[worst] > loss:
            break
        others = np.delete(np.arange(len(alive)), worst)
        for place, inverse in enumerate(inverses):
            column = inverse[others, worst] / inverse[worst, worst]
            weights[place] = weights[place][others] - np.outer(column, weights[place][worst])
            inverses[place] = inverse[np.ix_(others, others)] - np.outer(column, inverse[worst, others])
        alive = alive[others]
        kept = alive if len(alive) % STEP == 0 else kept
    return kept


def _read(reader: ir.Node) -> str:
    """The value that it reads."""
    assert reader.inputs[0] is not None
    return str(reader.inputs[0].name)


def _averaged(reader: ir.Node) -> int:
    """Of how many places a reader gets the mean: a place's errors average out later, a mean's do not."""
    made = reader.inputs[0].producer() if reader.inputs[0] else None
    whole = made.inputs[0] if made is not None and made.op_type == "ReduceMean" else None
    return 1 if whole is None else places(whole)


def _compared(reader: ir.Node) -> list[str]:
    """What a reader gives, and what is added to that."""
    output = reader.outputs[0]
    uses = list(output.uses())
    adds = uses[0].node if len(uses) == 1 and uses[0].node.op_type == "Add" else None
    others = [] if adds is None else [value for value in adds.inputs if value is not output]
    names = [value.name for value in others if value is not None and value.const_value is None]
    return [str(output.name), *map(str, names)]


def _rows(model: ir.Model, names: list[str], samples: Images) -> Rows:
    """(rows, C) of each of these values; of maps, (N, C, h, w), at places drawn at random, alike in all."""
    part = model.clone()
    made = {value.name: value for node in part.graph for value in node.outputs}
    wanted = list(dict.fromkeys(names))
    part.graph.outputs[:] = [made[name] for name in wanted]
    RemoveUnusedNodesPass()(part)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        ir.to_proto(part).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    inputs = fed(part.graph, samples)
    rows: dict[str, list[Array]] = {name: [] for name in wanted}
    for start in range(0, len(next(iter(inputs.values()))), BATCH):
        batch = {name: values[start : start + BATCH] for name, values in inputs.items()}
        for name, values in zip(wanted, session.run(wanted, batch), strict=True):
            rows[name].append(_looked_at(values, start))
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def _looked_at(values: NDArray[np.float32], seed: int) -> Array:
    if values.ndim == 2:
        return values.astype(np.float64)
    count, channels, height, width = values.shape
    drawn = np.random.default_rng(seed).integers(0, height * width, (count, 1, PLACES))
    flat = np.take_along_axis(values.reshape(count, channels, -1), drawn, axis=2)
    return flat.transpose(0, 2, 1).reshape(-1, channels).astype(np.float64)
