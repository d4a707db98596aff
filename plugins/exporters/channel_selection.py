"""Which channels a layer can do without, as a problem of least squares.

A layer's outputs are fitted to its remaining input channels (Channel Pruning for Accelerating Very Deep
Neural Networks, arXiv 1707.06168). The next channel to remove is the one that the fit needs least, which has
a closed form (Optimal Brain Compression, arXiv 2208.11580, for rows of weights instead of single weights).
Covariances of few samples are shrunk (Ledoit and Wolf, 2004).
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from fas_plugins.exporters.graph import Array

STEP = 8
"""Channels are kept in multiples of this by default, the width of the engines' vectors."""

FLOOR = 1e-9
"""Least variance of a channel / the channels' mean variance: some channels are constant."""


@frozen(eq=False)
class Regression:
    """Linear regression of a layer's outputs on its input channels.

    Args:
        covariance: (C, C) of the channels.
        cross_covariance: (C, O) of the channels with the outputs.
        input_mean: (C,) of the channels.
        output_mean: (O,) of the outputs.
        variance: unit of the errors: the variance of the outputs, summed over O.
    """

    covariance: Array
    cross_covariance: Array
    input_mean: Array
    output_mean: Array
    variance: float

    def solve(self, channels: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return weights (C', O) and bias (O,) for these channels alone."""
        covariance = self.covariance[np.ix_(channels, channels)]
        weight = np.asarray(np.linalg.solve(covariance, self.cross_covariance[channels]), np.float64)
        return weight, self.output_mean - self.input_mean[channels] @ weight


def build_regression(inputs: Array, outputs: Array, weight: Array, variance: float) -> Regression:
    """Return the regression of outputs, (rows, O), on inputs, (rows, C).

    Args:
        weight: (C, O) the layer's own weights, which hold as far as the covariance is shrunk.
        variance: unit of the errors.
    """
    input_mean, output_mean = inputs.mean(axis=0), outputs.mean(axis=0)
    covariance, shrinkage = ledoit_wolf(inputs)
    covariance += FLOOR * (np.trace(covariance) / len(covariance) or 1.0) * np.eye(len(covariance))
    measured = (inputs - input_mean).T @ (outputs - output_mean) / len(inputs)
    assumed = inputs.var(axis=0).mean() * weight
    cross_covariance = (1 - shrinkage) * measured + shrinkage * assumed
    return Regression(covariance, cross_covariance, input_mean, output_mean, variance)


def select_channels(regressions: list[Regression], loss: float, step: int = STEP) -> NDArray[np.intp]:
    """Return the indices of the channels to keep, ascending; their number is a multiple of `step`.

    Channels are removed one by one, each time the one that the others replace best, as long as its removal
    loses at most `loss` of the layers' variance.
    """
    remaining = selected = np.arange(len(regressions[0].covariance))
    inverses = [np.linalg.inv(regression.covariance) for regression in regressions]
    weights = [
        inverse @ regression.cross_covariance
        for inverse, regression in zip(inverses, regressions, strict=True)
    ]
    variances = [regression.variance for regression in regressions]
    while len(remaining) > step:
        costs = np.sum(
            [
                (weight**2).sum(axis=1) / np.diag(inverse) / variance
                for weight, inverse, variance in zip(weights, inverses, variances, strict=True)
            ],
            axis=0,
        )
        worst = int(costs.argmin())
        if costs[worst] > loss:
            break
        others = np.delete(np.arange(len(remaining)), worst)
        for index, inverse in enumerate(inverses):
            column = inverse[others, worst] / inverse[worst, worst]
            weights[index] = weights[index][others] - np.outer(column, weights[index][worst])
            inverses[index] = inverse[np.ix_(others, others)] - np.outer(column, inverse[worst, others])
        remaining = remaining[others]
        selected = remaining if len(remaining) % step == 0 else selected
    return selected
