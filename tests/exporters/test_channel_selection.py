"""Selection of channels by least squares, against NumPy's own solver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from fas_plugins.exporters.channel_selection import STEP, Regression, build_regression, select_channels

Array = NDArray[np.float64]


def regress(inputs: Array, outputs: Array) -> Regression:
    """Return the regression of data whose means are zero, without shrinkage."""
    count = len(inputs)
    return Regression(
        inputs.T @ inputs / count,
        inputs.T @ outputs / count,
        np.zeros(inputs.shape[1]),
        np.zeros(outputs.shape[1]),
        float(outputs.var(axis=0).sum()),
    )


def draw_centred(rng: np.random.Generator, *shape: int) -> Array:
    values = rng.normal(size=shape)
    return values - values.mean(axis=0)


def measure_loss(inputs: Array, outputs: Array, kept: NDArray[np.intp]) -> float:
    """Return the share of the variance that these channels do not explain, by NumPy's least squares."""
    weight = np.linalg.lstsq(inputs[:, kept], outputs)[0]
    return float(((outputs - inputs[:, kept] @ weight) ** 2).sum() / (outputs**2).sum())


def test_the_channels_that_the_fit_needs_least_are_removed() -> None:
    rng = np.random.default_rng(14)
    inputs = draw_centred(rng, 500, 12) @ rng.normal(size=(12, 12))
    sums = [inputs @ rng.normal(size=(12, count)) for count in (5, 3)]
    kept = np.arange(12)
    while len(kept) > STEP:
        rests = [np.delete(kept, index) for index in range(len(kept))]
        kept = min(rests, key=lambda rest: sum(measure_loss(inputs, outputs, rest) for outputs in sums))
    np.testing.assert_array_equal(
        select_channels([regress(inputs, outputs) for outputs in sums], np.inf), kept
    )


def test_no_channel_is_removed_that_costs_more_than_the_limit() -> None:
    rng = np.random.default_rng(14)
    inputs = draw_centred(rng, 500, STEP + 1)
    outputs = inputs @ rng.normal(size=(STEP + 1, 4))
    least = min(
        measure_loss(inputs, outputs, np.delete(np.arange(STEP + 1), index)) for index in range(STEP + 1)
    )
    assert len(select_channels([regress(inputs, outputs)], 0.999 * least)) == STEP + 1
    assert len(select_channels([regress(inputs, outputs)], 1.001 * least)) == STEP


def test_the_number_of_channels_is_a_multiple_of_the_step() -> None:
    rng = np.random.default_rng(14)
    inputs = draw_centred(rng, 500, 3 * STEP)
    inputs[:, STEP + 2 :] *= 1e-3
    assert len(select_channels([regress(inputs, inputs.sum(axis=1, keepdims=True))], 1e-4)) == 2 * STEP


def test_weights_of_some_channels_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(14)
    inputs = rng.normal(3, 1, (500, 6))
    outputs = inputs @ rng.normal(size=(6, 2)) + 7 + rng.normal(size=(500, 2))
    kept = np.array([0, 2, 5])
    mean, output_mean = inputs.mean(axis=0), outputs.mean(axis=0)
    centred = inputs - mean
    covariance, cross_covariance = centred.T @ centred / 500, centred.T @ (outputs - output_mean) / 500
    weight, bias = Regression(covariance, cross_covariance, mean, output_mean, 1.0).solve(kept)
    expected = np.linalg.lstsq(np.column_stack([inputs[:, kept], np.ones(500)]), outputs)[0]
    np.testing.assert_allclose(weight, expected[:3], rtol=1e-6)
    np.testing.assert_allclose(bias, expected[3], rtol=1e-6)


def test_the_layers_own_weights_hold_as_far_as_the_covariance_is_shrunk() -> None:
    rng = np.random.default_rng(14)
    inputs, own = rng.normal(size=(5, 8)), rng.normal(size=(8, 2))
    shrinkage = ledoit_wolf(inputs)[1]
    assert shrinkage > 0.2, "few samples"
    regression = build_regression(inputs, np.ones((5, 2)), own, 1.0)  # the outputs do not vary
    np.testing.assert_allclose(regression.cross_covariance, shrinkage * inputs.var(axis=0).mean() * own)


def test_constant_channels_have_a_finite_solution() -> None:
    inputs = np.ones((50, 3))
    weight, bias = build_regression(inputs, np.ones((50, 1)), np.ones((3, 1)), 1.0).solve(np.arange(3))
    assert np.isfinite(weight).all()
    np.testing.assert_allclose(inputs @ weight + bias, 1)
